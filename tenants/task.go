package tenants

import (
	"context"
	"time"

	"causeway/internal/problem"
)

// TaskID identifies a task.
type TaskID string

// TaskStatus is where a task stands, as VCD spells it.
type TaskStatus string

// TaskSuccess is where every task stands.
const TaskSuccess TaskStatus = "success"

// Task is the receipt of an operation that VCD answers by a task. The gateway
// does the work before it answers and in one transaction with the task, so what
// fails leaves none.
type Task struct {
	ID        TaskID
	Org       OrgID  // in whose list it stands
	Name      string // operationName, such as orgDelete
	Operation string // in words
	Status    TaskStatus
	StartedAt time.Time
	EndedAt   time.Time
	TaskDetail
}

// TaskDetail is what a task tells beside its place in lists.
type TaskDetail struct {
	Owner TaskEntity `json:"owner"` // what was worked on
	User  TaskEntity `json:"user"`  // who asked
}

// TaskEntity names something by its kind (org, user, …), bare UUID and name.
type TaskEntity struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// TaskViewRights are the rights any one of which shows an organization's tasks.
func TaskViewRights() []Right { return []Right{RightTaskView, RightAdministratorView} }

// Task is a task in org's list, for whoever asked for it and whoever may view tasks
// at all; others' tasks look like none. A provider reaches any task by its id alone,
// whatever list it stands in.
func (s *Service) Task(ctx context.Context, by Caller, org OrgID, id TaskID) (task Task, err error) {
	in := org
	err = s.store.View(ctx, func(r Reader) error {
		if by.Principal.Provider() && org == SystemOrgID {
			if in, err = r.TaskOrg(id); err != nil {
				return err
			}
		}
		task, err = r.Task(in, id)
		return err
	})
	if err == nil && task.User.ID != by.Principal.ID {
		err = s.orgs.Require(ctx, by.Principal, org, TaskViewRights()...)
	}
	switch {
	case problem.Has(err, problem.NotFound), problem.Has(err, problem.Forbidden):
		return Task{}, problem.Hidden()
	case err != nil:
		return Task{}, err
	}
	return task, nil
}

// Tasks lists org's tasks.
func (s *Service) Tasks(ctx context.Context, org OrgID, q Query) (list []Task, total int, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		list, total, err = r.Tasks(org, q)
		return err
	})
	return list, total, err
}
