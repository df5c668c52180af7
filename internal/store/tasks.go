package store

import (
	"encoding/json"

	"causeway/tenants"
)

type taskRow struct {
	OrgID     string `gorm:"primaryKey"`
	ID        string `gorm:"primaryKey"`
	Name      string
	Operation string
	Status    string
	StartedAt int64
	EndedAt   int64
	Detail    string
}

func (taskRow) TableName() string { return "tasks" }

func (r taskRow) task() (tenants.Task, error) {
	t := tenants.Task{
		ID: tenants.TaskID(r.ID), Org: tenants.OrgID(r.OrgID), Name: r.Name, Operation: r.Operation,
		Status: tenants.TaskStatus(r.Status), StartedAt: fromMicros(r.StartedAt), EndedAt: fromMicros(r.EndedAt),
	}
	err := json.Unmarshal([]byte(r.Detail), &t.TaskDetail)
	return t, err
}

func (r *reader) Task(org tenants.OrgID, id tenants.TaskID) (tenants.Task, error) {
	var row taskRow
	if err := take(r.of(org).Where("id = ?", string(id)), &row); err != nil {
		return tenants.Task{}, err
	}
	return row.task()
}

func (r *reader) TaskOrg(id tenants.TaskID) (tenants.OrgID, error) {
	var row taskRow
	err := take(r.db.Select("org_id").Where("id = ?", string(id)), &row)
	return tenants.OrgID(row.OrgID), err
}

func (r *reader) Tasks(org tenants.OrgID, q tenants.Query) ([]tenants.Task, int, error) {
	rows, total, err := page[taskRow](r, listing{
		base: "SELECT * FROM tasks WHERE org_id = ?", args: []any{string(org)},
		columns: "id, name, operation, status, started_at, ended_at", hidden: "org_id, detail",
		order: "started_at DESC, id DESC", unique: "id",
	}, q)
	if err != nil {
		return nil, 0, err
	}
	list, err := convertAll(rows, taskRow.task)
	return list, total, err
}

func (t *tx) CreateTask(task tenants.Task) error {
	detail, err := json.Marshal(task.TaskDetail)
	if err != nil {
		return err
	}
	return t.create(&taskRow{
		OrgID: string(task.Org), ID: string(task.ID), Name: task.Name, Operation: task.Operation, Status: string(task.Status),
		StartedAt: micros(task.StartedAt), EndedAt: micros(task.EndedAt), Detail: string(detail),
	})
}
