-- keep: the lease's time begins anew, also of one that has ended and nobody took.
local id, attempt = ARGV[3], ARGV[4]
local row = pending(id)
if row and row.err then return row end
if not mine(row, attempt) or given(id) then return 'lost' end
call('XCLAIM', stream, group, me, 0, id, 'JUSTID')
return 'kept'
