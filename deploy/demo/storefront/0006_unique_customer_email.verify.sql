SELECT EXISTS (
    SELECT FROM pg_constraint c JOIN pg_index i ON i.indexrelid = c.conindid
    WHERE c.conrelid = 'customers'::regclass AND c.conname = 'customers_email_key' AND c.contype = 'u'
      AND i.indisvalid AND i.indisready
);
