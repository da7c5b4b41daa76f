-- unfinished: whether some task was taken last by this index.
mend(ARGV[1], tonumber(ARGV[2]))
return #call('ZRANGEBYLEX', owner, '[' .. ARGV[1] .. ':', '(' .. ARGV[1] .. ';', 'LIMIT', 0, 1)
