DROP INDEX contacts_by_creator;
