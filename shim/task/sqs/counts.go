package sqs

import (
	"context"
	"strconv"

	"nth/shim/store/web"
	"nth/shim/task"
)

// Count tells how many messages there are, as roughly as SQS counts. It doesn't know
// which were put aside.
func (s *source) Count(ctx context.Context) (task.Counts, error) {
	answer, err := s.attributes(ctx, s.queue, counts...)
	if err != nil {
		return task.Counts{}, err
	}
	var c task.Counts
	for _, name := range counts {
		n, err := strconv.ParseInt(answer[name], 10, 64)
		if err != nil {
			return task.Counts{}, web.Foreign(server, "it has no "+name)
		}
		c.Left += n
	}
	return c, nil
}
