-- unfinished: whether some task was taken last by this index.
mend(ARGV[1], tonumber(ARGV[2]))
return #owned(ARGV[1], 'LIMIT', 0, 1)
