-- rings/lease_lock: locks the tables of one slot of the lease ring against everybody, in their order.
LOCK TABLE :"schema".:"leases_k"
IN ACCESS EXCLUSIVE MODE
