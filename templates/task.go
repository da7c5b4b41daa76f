package templates

// Task is the piece of work that a queue gave, or that a row of a file is.
type Task struct {
	ID, Payload string
	Receipt     string // of this one delivery
	Meta        map[string]string
	// Columns are those of the file that all indexes have their rows of: a field that isn't
	// among them is nobody's. Nil: another item may have other fields.
	Columns []string
}

func (d dot) task() (*Task, error) {
	if d.x.fields.Task == nil {
		return nil, missing("Task", "it needs --tasks")
	}
	return d.x.fields.Task, nil
}

func (d dot) Task() (string, error) {
	t, err := d.task()
	if err != nil {
		return "", err
	}
	return t.Payload, nil
}

func (d dot) TaskID() (string, error) {
	t, err := d.task()
	if err != nil {
		return "", err
	}
	return t.ID, nil
}

// MetaParts is what the function field names .Meta by: no template can name it.
func (d dot) MetaParts() (object, error) {
	t, err := d.task()
	if err != nil {
		return nil, err
	}
	o := object{}
	for name, value := range t.Meta {
		o[name] = value
	}
	return o, nil
}
