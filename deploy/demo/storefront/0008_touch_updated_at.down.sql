DROP TRIGGER orders_touch ON orders;
DROP TRIGGER products_touch ON products;
DROP TRIGGER customers_touch ON customers;
DROP FUNCTION touch_updated_at();
