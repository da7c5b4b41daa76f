-- done: nothing of the task stays.
local id, receipt = ARGV[1], ARGV[2]
local m = about(id)
if m.receipt == receipt then
  forget(id, m)
  return 'done'
end
return call('HEXISTS', task, id) + call('HEXISTS', dead, id) == 0 and 'gone' or 'lost'
