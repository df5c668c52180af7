package orgs

import (
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

const tasksAt = "/monitor/tasks"

func (p *Pages) taskPages() []ui.Page {
	return []ui.Page{
		{Path: tasksAt, Rights: tenants.TaskViewRights(), Do: p.tasks,
			Menu: &ui.Menu{Section: ui.Monitoring, Key: "tasks", Order: 40, Icon: "task"}},
		// Whoever asked for a task may follow it, see [tenants.Service.Task].
		{Path: tasksAt + "/:id", Rights: []tenants.Right{httpapi.AnySession}, Do: p.task},
	}
}

// taskShown is a task with what pages say of it.
type taskShown struct {
	tenants.Task
	Progress int // percent
	Badge    string
	State    string
}

// shownTask keeps to what a task says of itself: it has succeeded, or it is not known.
func shownTask(s *ui.Screen, t tenants.Task) taskShown {
	shown := taskShown{Task: t, Badge: "busy", State: string(t.Status)}
	if !t.EndedAt.IsZero() {
		shown.Progress = 100
	}
	if t.Status == tenants.TaskSuccess {
		shown.Badge, shown.State = "good", s.T("tasks.success")
	}
	return shown
}

type tasksPage struct {
	List  *ui.List
	Tasks []taskShown
}

func (p *Pages) tasks(s *ui.Screen) error {
	l, err := s.List(ui.ListOf{Fields: tenants.TaskFields, Search: []string{"operationFull"}, Sort: "startDate", Desc: true})
	if err != nil {
		return err
	}
	list, total, err := p.Tenants.Tasks(s.Request.Context(), s.Org().ID, l.Query)
	if err != nil {
		return err
	}
	l.Total = total
	page := tasksPage{List: l}
	for _, t := range list {
		page.Tasks = append(page.Tasks, shownTask(s, t))
	}
	return s.Show("orgs/tasks", "tasks.title", page)
}

func (p *Pages) task(s *ui.Screen) error {
	id, err := tenants.ParseID[tenants.TaskID]("task", s.Param("id"))
	if err != nil {
		return problem.Hidden()
	}
	t, err := p.Tenants.Task(s.Request.Context(), s.By(), s.Org().ID, id)
	if err != nil {
		return err
	}
	f := ui.Frame{D: shownTask(s, t), Title: t.Operation}
	if s.Can(tenants.TaskViewRights()...) {
		f.Trail = []ui.Crumb{{Text: s.T("tasks.title"), Path: s.Path(tasksAt)}}
	}
	return s.ShowFrame(200, "orgs/task", f)
}
