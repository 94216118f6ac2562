-- lockstep: schema_rev sc-18
-- lockstep: phase contract
-- lockstep: parent 0017_copy_shipping_addresses

-- Releases from sc-17 on read and write addresses alone.
ALTER TABLE customers DROP COLUMN shipping_address;
