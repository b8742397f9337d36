-- rings/delete_rows: empties one table of one slot, row by row.
DELETE FROM :"schema".:"child_k"
