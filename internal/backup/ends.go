package backup

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/watermark"
)

// Ends are what a restore ends, because it may have been rotated, replaced or
// revoked after the backup: of one organization, by name. Sessions, device codes and
// signing keys end wherever they are.
type Ends struct {
	Org string `json:"organization"`
	ID  string `json:"id"`
	// Accounts had a refresh token: somebody grants them access again.
	Accounts []Account `json:"serviceAccounts"`
	// Continuing are accounts whose refresh token goes on.
	Continuing []string `json:"serviceAccountsContinuing"`
	// APITokens are gone; their owners create others.
	APITokens []string `json:"apiTokens"`
	// Apps need another secret.
	Apps []string `json:"apps"`
	// Users have no password any more; whoever may edit them gives them another.
	Users []string `json:"users"`
}

// Account is a service account whose refresh token ended. Why is empty where nothing
// was proved of any.
type Account struct {
	Name string `json:"name"`
	Why  string `json:"why,omitempty"`
}

func (a Account) String() string {
	if a.Why == "" {
		return a.Name
	}
	return a.Name + " (" + a.Why + ")"
}

func (e *Ends) any() bool {
	return len(e.Accounts)+len(e.Continuing)+len(e.APITokens)+len(e.Apps)+len(e.Users) > 0
}

// ender changes rows on their way into the database. What was revoked stays so; what
// was good is so no more.
type ender struct {
	now           int64
	keepPasswords bool
	marks         *watermark.Marks // nil proves nothing
	seq           int64            // of the last row of the journal in the backup
	orgs          map[string]*Ends
	names         map[string]string // of accounts and users, by organization and id
	sessions      int64
	deviceCodes   int64
	keys          int64
}

func newEnder(now time.Time, keepPasswords bool) *ender {
	return &ender{now: now.UnixMicro(), keepPasswords: keepPasswords, orgs: map[string]*Ends{}, names: map[string]string{}}
}

// row is one with its columns' names.
type row struct {
	columns []store.Column
	values  []any
}

func (r row) at(name string) *any {
	for i, c := range r.columns {
		if c.Name == name {
			return &r.values[i]
		}
	}
	return nil
}

func (r row) text(name string) string {
	if v := r.at(name); v != nil {
		s, _ := (*v).(string)
		return s
	}
	return ""
}

func (r row) number(name string) int64 {
	if v := r.at(name); v != nil {
		n, _ := (*v).(int64)
		return n
	}
	return 0
}

// set changes a column if this version of the schema has it.
func (r row) set(name string, to any) {
	if v := r.at(name); v != nil {
		*v = to
	}
}

// apply says whether the row is written at all.
func (e *ender) apply(table string, r row) (keep bool, err error) {
	org := r.text("org_id")
	switch table {
	case "site":
		// It begins with the seconds, and peers believe no lower one than they know.
		r.set("bundle_seq", max(r.number("bundle_seq")+1, e.now/1e6))
	case "organizations":
		e.org(r.text("id")).Org = r.text("name")
	case "users":
		e.names[org+"/"+r.text("id")] = r.text("name")
		if r.text("password_hash") != "" && !e.keepPasswords {
			o := e.org(org)
			o.Users = append(o.Users, r.text("name"))
			r.set("password_hash", secret.NoPassword())
		}
	case "service_accounts":
		e.names[org+"/"+r.text("id")] = r.text("name")
	case "token_families":
		if r.number("revoked_at") == 0 {
			e.family(e.org(org), r)
		}
	case "device_requests":
		if state := r.text("state"); state == "pending" || state == "granted" {
			e.deviceCodes++
			r.set("state", "dead")
		}
	case "sessions":
		if r.number("ended_at") == 0 {
			e.sessions++
			r.set("ended_at", e.now)
		}
	case "api_tokens":
		o := e.org(org)
		o.APITokens = append(o.APITokens, fmt.Sprintf("%s (of %s)", r.text("name"), e.names[org+"/"+r.text("user_id")]))
		return false, nil
	case "apps":
		o := e.org(org)
		o.Apps = append(o.Apps, fmt.Sprintf("%s (%s)", r.text("display_name"), r.text("id")))
		nobody := make([]byte, 32)
		if _, err := rand.Read(nobody); err != nil {
			return false, err
		}
		r.set("secret_digest", nobody)
		r.set("secret_version", r.number("secret_version")+margin) // tokens of later secrets are of none
		r.set("old_digest", []byte{})
		r.set("old_until", int64(0))
	case "signing_keys":
		if r.number("retired_at") == 0 {
			e.keys++
			r.set("retired_at", e.now)
			r.set("private_key", []byte{})
		}
	}
	return true, nil
}

// family goes on only if the watermark proves that nothing happened to it.
func (e *ender) family(o *Ends, r row) {
	f := watermark.Family{Org: o.ID, Account: r.text("account_id"), ID: r.text("id"), Generation: r.number("generation")}
	name, why := e.names[f.Org+"/"+f.Account], ""
	if e.marks != nil {
		if why = e.marks.Ended(f, e.seq); why == "" {
			o.Continuing = append(o.Continuing, name)
			return
		}
	}
	o.Accounts = append(o.Accounts, Account{Name: name, Why: why})
	r.set("revoked_at", e.now)
}

func (e *ender) org(id string) *Ends {
	o := e.orgs[id]
	if o == nil {
		o = &Ends{ID: id, Accounts: []Account{}, Continuing: []string{}, APITokens: []string{}, Apps: []string{}, Users: []string{}}
		e.orgs[id] = o
	}
	return o
}

// list is what ended, by the names of organizations.
func (e *ender) list() []Ends {
	list := []Ends{}
	for _, o := range e.orgs {
		if !o.any() {
			continue
		}
		for _, names := range [][]string{o.Continuing, o.APITokens, o.Apps, o.Users} {
			slices.Sort(names)
		}
		slices.SortFunc(o.Accounts, func(a, b Account) int { return strings.Compare(a.Name, b.Name) })
		list = append(list, *o)
	}
	slices.SortFunc(list, func(a, b Ends) int {
		if a.Org < b.Org || a.Org == b.Org && a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list
}
