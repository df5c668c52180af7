package machines

import (
	"net/http"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

// enterPage asks for a user code. No address carries one, so that no link can bring
// somebody to a request that they did not start (R2).
type enterPage struct {
	Code  string
	Fault *problem.Problem
	Look  string
}

func (p *Pages) enter(s *ui.Screen) error { return p.drawEnter(s, "", nil) }

func (p *Pages) drawEnter(s *ui.Screen, code string, fault *problem.Problem) error {
	page := enterPage{Code: code, Fault: fault, Look: s.Path(reviewPath)}
	status := http.StatusOK
	if fault != nil {
		status = fault.Code.Row().Status
	}
	return s.ShowStatus(status, "machines/enter", "approval.title", page)
}

type requestPage struct {
	oauth.AccessRequest
	Code    string // as it is spelt
	Shown   string
	Role    can
	Link    string
	New     bool // nobody here was ever ACTIVE with the software ID
	Changed bool // since it was looked up
	System  bool
	Fault   *problem.Problem
	Left    int // minutes
	Links   struct{ Grant, Deny, Cancel string }
}

func (p *Pages) lookUp(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	return p.drawRequest(s, form.Get("code"), nil)
}

// drawRequest shows who asks for what. A code that leads to nothing is asked for
// again; whether it was wrong, late, answered or another organization's is not said.
func (p *Pages) drawRequest(s *ui.Screen, code string, fault *problem.Problem) error {
	found, err := p.OAuth.LookUp(s.Request.Context(), s.By(), s.Org(), code)
	if err != nil {
		return p.refused(s, code, err)
	}
	page := requestPage{
		AccessRequest: found, Shown: found.Shown(), Link: safeLink(found.Account.URI), System: s.Org().System(), Fault: fault,
		Role: newCan(found.Account.Role, found.RoleName, "", found.Rights),
		Left: max(1, int(found.Request.ExpiresAt.Sub(p.Now()).Round(time.Minute)/time.Minute)),
	}
	page.Changed = fault != nil && fault.Code == problem.Conflict
	page.Code, _ = secret.NormalizeUserCode(code)
	page.Links.Grant, page.Links.Deny, page.Links.Cancel = s.Path(reviewPath, "grant"), s.Path(reviewPath, "deny"), s.Path(reviewPath)
	if page.New, err = p.firstSeen(s, found.Account.SoftwareID); err != nil {
		return err
	}
	status := http.StatusOK
	if fault != nil {
		status = fault.Code.Row().Status
	}
	return s.ShowFrame(status, "machines/request", ui.Frame{
		D: page, Title: s.T("approval.request.title", found.Account.Name), Trail: []ui.Crumb{{Text: s.T("approval.title"), Path: s.Path(reviewPath)}},
	})
}

// refused asks for the code again where it is the code's fault or that of too many
// wrong ones.
func (p *Pages) refused(s *ui.Screen, code string, err error) error {
	if !problem.Has(err, problem.UnknownUserCode) && !problem.Has(err, problem.TooManyRequests) {
		return err
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	if fault.Code == problem.UnknownUserCode {
		return p.drawEnter(s, code, problem.New(fault.Code, "%s", s.T("approval.unknown", s.Org().Name)))
	}
	wait := int(max(time.Minute, fault.RetryAfter+time.Minute-1) / time.Minute)
	return p.drawEnter(s, "", problem.New(fault.Code, "%s", s.Count("approval.limited", wait)))
}

// firstSeen reports whether no account of the organization with this software ID is or
// was ever ACTIVE, as far as the audit trail reaches back.
func (p *Pages) firstSeen(s *ui.Screen, softwareID string) (bool, error) {
	ctx, org := s.Request.Context(), s.Org().ID
	list, _, err := p.OAuth.Accounts(ctx, org, tenants.Query{
		Where: "software_id = ?", Args: []any{softwareID}, SortBy: "created_at", Page: 1, PageSize: sameSoftware,
	})
	if err != nil {
		return false, err
	}
	for _, a := range list {
		if a.Status == oauth.Active {
			return false, nil
		}
		_, was, err := p.Tenants.Audit(ctx, org, tenants.Query{
			Where: "subject_kind = ? AND subject_id = ? AND action = ?",
			Args:  []any{journal.KindAccount, string(a.ID), string(journal.AccountActivated)}, Page: 1, PageSize: 1,
		})
		if err != nil || was > 0 {
			return false, err
		}
	}
	return true, nil
}

// sameSoftware is how many accounts with one software ID are looked at: the oldest,
// which are the likeliest to have been used.
const sameSoftware = 20

func (p *Pages) grant(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	ctx, code := s.Request.Context(), form.Get("code")
	found, err := p.OAuth.GrantShown(ctx, s.By(), s.Org(), code, form.Get("shown"))
	if err == nil {
		s.Go(s.Path(accountsPath, string(found), "granted"))
		return nil
	}
	if problem.Has(err, problem.Conflict) || problem.Has(err, problem.Forbidden) {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return p.drawRequest(s, code, fault)
	}
	return p.refused(s, code, err)
}

func (p *Pages) deny(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	if err := p.OAuth.Deny(s.Request.Context(), s.By(), s.Org(), form.Get("code")); err != nil {
		return p.refused(s, form.Get("code"), err)
	}
	return s.Done(s.Path(reviewPath), "accessdenied")
}

type grantedPage struct {
	oauth.ServiceAccount
	Badge   string
	Until   time.Time // when a granted request expires that was not fetched
	Account string
	Review  string
}

// granted tells what became of a grant; it is the account's state, whoever opens it.
func (p *Pages) granted(s *ui.Screen) error {
	a, err := p.account(s)
	if err != nil {
		return err
	}
	page := grantedPage{ServiceAccount: a, Badge: badgeOf(a.Status), Account: s.Path(accountsPath, string(a.ID)), Review: s.Path(reviewPath)}
	open, err := p.OAuth.OpenRequests(s.Request.Context(), s.Org().ID, a.ID)
	if err != nil {
		return err
	}
	for _, d := range open {
		if d.State == oauth.DeviceGranted {
			page.Until = d.ExpiresAt
		}
	}
	return s.ShowFrame(http.StatusOK, "machines/granted", ui.Frame{
		D: page, Title: s.T("approval.granted.title", a.Name), Trail: []ui.Crumb{{Text: s.T("approval.title"), Path: s.Path(reviewPath)}},
	})
}
