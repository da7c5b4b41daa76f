-- keep: the lease's time begins anew, also of one that has ended and nobody took.
local id, receipt, span = ARGV[1], ARGV[2], tonumber(ARGV[3])
local m = about(id)
if m.receipt ~= receipt then return 'lost' end
m.due = now + span
note(id, m)
return 'kept'
