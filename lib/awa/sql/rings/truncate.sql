-- rings/truncate: empties one table of one slot.
TRUNCATE :"schema".:"child_k"
