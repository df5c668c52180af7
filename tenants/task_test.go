package tenants_test

import (
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

func TestTasks_R6_AProviderReachesAllATenantItsOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		globex := p.newOrg("Globex")
		task := tenants.Task{ID: tenants.TaskID(tenants.NewID()), Org: p.acme.ID, Name: "n", Status: tenants.TaskSuccess, StartedAt: p.now, EndedAt: p.now}
		p.inTx(func(tx tenants.Tx) error { return tx.CreateTask(task) })
		for _, tt := range []struct {
			name string
			by   tenants.Caller
			org  tenants.OrgID
			want problem.Code
		}{
			{"a tenant in its own organization", p.boss, p.acme.ID, ""},
			{"a tenant in another", p.boss, globex, problem.NotFound},
			{"a tenant in the provider's", p.boss, tenants.SystemOrgID, problem.NotFound},
			{"the provider at home", p.root, tenants.SystemOrgID, ""},
			{"the provider in that organization", p.root, p.acme.ID, ""},
			{"the provider in another", p.root, globex, problem.NotFound},
			{"somebody there who may not view tasks", p.clerk, p.acme.ID, problem.NotFound},
		} {
			got, err := p.service.Task(p.ctx(), tt.by, tt.org, task.ID)
			if wantProblem(t, err, tt.want); err == nil && got != task {
				t.Errorf("%s: got %+v", tt.name, got)
			}
		}
		own := task
		own.ID, own.User = tenants.TaskID(tenants.NewID()), tenants.TaskEntity{Kind: "user", ID: p.clerk.Principal.ID, Name: "clerk"}
		p.inTx(func(tx tenants.Tx) error { return tx.CreateTask(own) })
		if got, err := p.service.Task(p.ctx(), p.clerk, p.acme.ID, own.ID); err != nil || got != own {
			t.Errorf("whoever asked for a task gets %+v, %v", got, err)
		}
		list, total, err := p.service.Tasks(p.ctx(), globex, tenants.Query{Page: 1, PageSize: 10})
		if len(list) != 0 || total != 0 || err != nil {
			t.Errorf("another organization lists %+v, %v", list, err)
		}
	})
}

func TestAudit_R6_OneOrganizationsRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		globex := p.newOrg("Globex")
		for _, org := range []tenants.OrgID{p.acme.ID, globex, tenants.SystemOrgID} {
			rows, total, err := p.service.Audit(p.ctx(), org, tenants.Query{Where: "action = ? OR 1 = 1", Args: []any{"x"}, Page: 1, PageSize: 100})
			p.must(err)
			if len(rows) == 0 || total != len(rows) {
				t.Errorf("%d of %d rows", len(rows), total)
			}
			for i, row := range rows {
				if row.Org != string(org) {
					t.Errorf("%s reads %+v", org, row)
				}
				if i > 0 && row.Seq >= rows[i-1].Seq {
					t.Error("the newest is not first")
				}
			}
		}
	})
}
