-- keep: the lease's time begins anew, also of one that has ended and nobody took.
local id, attempt, span = ARGV[3], ARGV[4], tonumber(ARGV[5])
local row = pending(id)
if row and row.err then return row end
if not mine(row, attempt) then return 'lost' end
call('XCLAIM', stream, group, me, 0, id, 'JUSTID')
keepFor(id, span)
return 'kept'
