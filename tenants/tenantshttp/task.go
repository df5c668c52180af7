package tenantshttp

import (
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	mediaTask = "application/vnd.vmware.vcloud.task+xml"
	// serviceNamespace is whose operations these are: clients know VCD's.
	serviceNamespace = "com.vmware.vcloud"
)

func (h *Handler) taskRoutes() []httpapi.Route {
	return []httpapi.Route{
		// Whoever asked for a task may follow it, see [tenants.Service.Task].
		{Method: http.MethodGet, Path: "/api/task/:id", Rights: []tenants.Right{httpapi.AnySession}, Do: h.task},
		{Method: http.MethodPost, Path: "/api/task/:id/action/cancel", Rights: []tenants.Right{tenants.RightTaskControl}, Do: h.taskCancel},
		{Method: http.MethodGet, Path: "/api/tasksList/:id", Rights: viewTasks, Do: h.tasksList},
	}
}

var viewTasks = tenants.TaskViewRights()

// taskElement is a task in a list. It has no expiryTime: tasks stay.
type taskElement struct {
	Href             string    `xml:"href,attr" json:"href"`
	ID               string    `xml:"id,attr" json:"id"`
	Type             string    `xml:"type,attr" json:"type"`
	Name             string    `xml:"name,attr" json:"name"`
	Status           string    `xml:"status,attr" json:"status"`
	Operation        string    `xml:"operation,attr" json:"operation"`
	OperationName    string    `xml:"operationName,attr" json:"operationName"`
	ServiceNamespace string    `xml:"serviceNamespace,attr" json:"serviceNamespace"`
	StartTime        string    `xml:"startTime,attr" json:"startTime"`
	EndTime          string    `xml:"endTime,attr,omitempty" json:"endTime,omitempty"`
	CancelRequested  bool      `xml:"cancelRequested,attr" json:"cancelRequested"`
	Owner            reference `xml:"Owner" json:"owner"`
	Error            *struct{} `xml:"Error" json:"error"` // none: what fails leaves no task
	User             reference `xml:"User" json:"user"`
	Organization     reference `xml:"Organization" json:"organization"`
	Progress         int       `xml:"Progress" json:"progress"`
	Details          string    `xml:"Details" json:"details"`
}

type taskXML struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 Task" json:"-"`
	taskElement
}

type tasksListXML struct {
	XMLName xml.Name      `xml:"http://www.vmware.com/vcloud/v1.5 TasksList" json:"-"`
	Href    string        `xml:"href,attr" json:"href"`
	Type    string        `xml:"type,attr" json:"type"`
	Name    string        `xml:"name,attr" json:"name"`
	Tasks   []taskElement `xml:"Task" json:"task"`
}

func (h *Handler) renderTask(t tenants.Task, org tenants.Organization) taskElement {
	e := taskElement{
		Href: h.taskHref(t.ID), ID: tenants.URN("task", t.ID), Type: mediaTask, Name: "task", Status: string(t.Status),
		Operation: t.Operation, OperationName: t.Name, ServiceNamespace: serviceNamespace, StartTime: httpapi.Time(t.StartedAt),
		Owner: h.entity(t.Owner.Kind, t.Owner.ID, t.Owner.Name), User: h.entity(t.User.Kind, t.User.ID, t.User.Name),
		Organization: h.entity("org", string(org.ID), org.Name),
	}
	if !t.EndedAt.IsZero() {
		e.EndTime, e.Progress = httpapi.Time(t.EndedAt), 100
	}
	return e
}

func (h *Handler) taskHref(id tenants.TaskID) string { return h.PublicURL + "/api/task/" + string(id) }

// accepted answers an OpenAPI request with where its task is.
func (h *Handler) accepted(c *gin.Context, t tenants.Task) error {
	c.Header("Location", h.taskHref(t.ID))
	c.Status(http.StatusAccepted)
	c.Writer.WriteHeaderNow()
	return nil
}

// acceptedTask answers a request of /api with its task.
func (h *Handler) acceptedTask(c *gin.Context, t tenants.Task) error {
	c.Header("Location", h.taskHref(t.ID))
	return h.writeTask(c, http.StatusAccepted, t)
}

func (h *Handler) writeTask(c *gin.Context, status int, t tenants.Task) error {
	org, err := h.Orgs.Organization(c.Request.Context(), t.Org)
	if err != nil {
		return err
	}
	writeStatus(c, status, mediaTask, taskXML{taskElement: h.renderTask(t, org.Organization)})
	return nil
}

func (h *Handler) task(c *gin.Context, call httpapi.Call) error {
	t, err := h.taskOf(c, call)
	if err != nil {
		return err
	}
	return h.writeTask(c, http.StatusOK, t)
}

func (h *Handler) taskOf(c *gin.Context, call httpapi.Call) (tenants.Task, error) {
	id, err := tenants.ParseID[tenants.TaskID]("task", c.Param("id"))
	if err != nil {
		return tenants.Task{}, err
	}
	return h.Tenants.Task(c.Request.Context(), call.Caller, call.Org.ID, id)
}

// taskCancel refuses: a task is done before anybody knows of it.
func (h *Handler) taskCancel(c *gin.Context, call httpapi.Call) error {
	if _, err := h.taskOf(c, call); err != nil {
		return err
	}
	return problem.New(problem.Conflict, "The task has ended already.")
}

// tasksList shows the newest tasks of an organization; the query service has all.
func (h *Handler) tasksList(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	tasks, _, err := h.Tenants.Tasks(c.Request.Context(), org.ID, tenants.Query{Page: 1, PageSize: maxPageSize})
	if err != nil {
		return err
	}
	body := tasksListXML{Href: h.tasksListHref(org.ID), Type: mediaTasksList, Name: "Tasks Lists", Tasks: []taskElement{}}
	for _, t := range tasks {
		body.Tasks = append(body.Tasks, h.renderTask(t, org.Organization))
	}
	write(c, mediaTasksList, body)
	return nil
}
