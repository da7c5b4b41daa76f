package templates

// Task is the piece of work that a queue gave, or that a row of a file is.
type Task struct {
	ID, Payload string
	// Fields is the JSON object whose fields it has, where that isn't the payload: an
	// object's payload is its URL.
	Fields  string
	Receipt string // of this one delivery
	Meta    map[string]string
	// Columns are those of the file that all indexes have their rows of: a field that isn't
	// among them is nobody's. Nil: another item may have other fields.
	Columns []string
}

func (x *execution) task() (*Task, error) {
	if x.fields.Task == nil {
		return nil, missing("Task", "it needs --tasks")
	}
	return x.fields.Task, nil
}

// ofTask gives a field that the task says.
func (x *execution) ofTask(name string) (any, error) {
	t, err := x.task()
	if err != nil {
		return nil, err
	}
	switch name {
	case "Task":
		return t.Payload, nil
	case "TaskID":
		return t.ID, nil
	case "Receipt": // in bodies alone
		return t.Receipt, nil
	}
	o := object{}
	for name, value := range t.Meta {
		o[name] = value
	}
	return o, nil
}
