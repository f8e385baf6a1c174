-- Databases of before these columns.
ALTER TABLE receipts ADD COLUMN IF NOT EXISTS owner LowCardinality(String) COMMENT 'The human who answers for the definition of the agent that asked; empty when unknown' CODEC(ZSTD(1)) AFTER device;
ALTER TABLE outcomes ADD COLUMN IF NOT EXISTS owner LowCardinality(String) COMMENT 'The human who answers for the definition of the agent that asked; empty when unknown' CODEC(ZSTD(1)) AFTER device;
