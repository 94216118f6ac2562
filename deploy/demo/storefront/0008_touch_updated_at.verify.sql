SELECT count(*) = 3 FROM pg_trigger
WHERE tgfoid = 'touch_updated_at()'::regprocedure AND tgenabled = 'O';
