SELECT to_regclass('addresses') IS NOT NULL;
