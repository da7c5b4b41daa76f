-- done: acknowledged, and not deleted, for other groups may want it.
local id, attempt = ARGV[3], ARGV[4]
local row = pending(id)
if row and row.err then return row end
if not row then return buried(id, attempt) == nil and 'gone' or 'lost' end
if not mine(row, attempt) then return 'lost' end
forget(id, me)
tidy(me)
return 'done'
