package postgres

import (
	"context"
	"errors"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// count uses the index of what isn't done. The dead are in no index, and not counted.
const count = `SELECT count(*) FROM {table} WHERE state IN ('ready', 'running')`

// Count tells how many tasks are left.
func (s *source) Count(ctx context.Context) (task.Counts, error) {
	row, err := s.ask(ctx, strings.ReplaceAll(count, "{table}", quote(s.table)))
	if err != nil {
		return task.Counts{}, err
	}
	if len(row) == 1 {
		if left, ok := row[0].(int64); ok {
			return task.Counts{Left: left}, nil
		}
	}
	return task.Counts{}, &contract.Error{Kind: contract.Malformed, Cause: errors.New("the answer to a count is no number")}
}
