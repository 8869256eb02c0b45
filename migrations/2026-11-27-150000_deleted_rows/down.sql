DROP INDEX contacts_deleted;
DROP INDEX products_deleted;
