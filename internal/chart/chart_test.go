package chart

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"
)

const folder = "../../deploy/helm/causeway"

// cluster is the oldest that the chart is for.
var cluster = chartutil.KubeVersion{Version: "v1.30.0", Major: "1", Minor: "30"}

// decoder refuses members that the types of Kubernetes do not have.
func decoder(t *testing.T) runtime.Decoder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, policyv1.AddToScheme, networkingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}

// serviceMonitor is what we use of the type that the Prometheus operator brings.
type serviceMonitor struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       struct {
		Selector  map[string]any `json:"selector"`
		JobLabel  string         `json:"jobLabel"`
		Endpoints []struct {
			Port     string `json:"port"`
			Path     string `json:"path"`
			Interval string `json:"interval"`
		} `json:"endpoints"`
	} `json:"spec"`
}

func values(t *testing.T, file string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v := map[string]any{}
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// render is what helm install would send, by template, or its refusal.
func render(t *testing.T, v map[string]any) (map[string]string, error) {
	t.Helper()
	c, err := loader.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = cluster
	all, err := chartutil.ToRenderValues(c, v, chartutil.ReleaseOptions{Name: "west", Namespace: "gateway", IsInstall: true, Revision: 1}, capabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, all)
}

// objects decodes everything that was rendered.
func objects(t *testing.T, rendered map[string]string) (found []runtime.Object) {
	t.Helper()
	d := decoder(t)
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if strings.HasSuffix(name, ".txt") || strings.HasSuffix(name, ".tpl") {
			continue
		}
		for _, doc := range strings.Split(rendered[name], "\n---\n") {
			if strings.TrimSpace(strings.TrimPrefix(doc, "---")) == "" {
				continue
			}
			if strings.Contains(doc, "kind: ServiceMonitor") {
				if err := yaml.UnmarshalStrict([]byte(doc), &serviceMonitor{}); err != nil {
					t.Errorf("%s: %v\n%s", name, err, doc)
				}
				continue
			}
			o, _, err := d.Decode([]byte(doc), nil, nil)
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, doc)
				continue
			}
			found = append(found, o)
		}
	}
	return found
}

func sets(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(folder + "/ci/*-values.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("sets of values: %v, %v", files, err)
	}
	all := map[string]map[string]any{}
	for _, f := range files {
		all[filepath.Base(f)] = values(t, f)
	}
	return all
}

// TestChart renders the chart with each set of values in its folder ci, and judges
// what comes of it.
func TestChart(t *testing.T) {
	for name, v := range sets(t) {
		t.Run(name, func(t *testing.T) {
			for _, m := range lint.AllWithKubeVersion(folder, v, "gateway", &cluster).Messages {
				if m.Severity >= support.WarningSev {
					t.Error(m)
				}
			}
			rendered, err := render(t, v)
			if err != nil {
				t.Fatal(err)
			}
			kinds := map[string]int{}
			for _, o := range objects(t, rendered) {
				kinds[o.GetObjectKind().GroupVersionKind().Kind]++
				switch o := o.(type) {
				case *appsv1.StatefulSet:
					wantConfined(t, "StatefulSet", o.Spec.Template.Spec)
					if got := o.Spec.Template.Spec.TerminationGracePeriodSeconds; got == nil || *got != 5+10+15 {
						t.Error("a cell is killed before its requests have ended")
					}
				case *corev1.ConfigMap:
					if text := o.Data["causeway.yaml"]; !strings.Contains(text, "drain_delay: 5s\n") || !strings.Contains(text, "drain_timeout: 10s\n") {
						t.Errorf("a cell is not told how long it may take to stop\n%s", text)
					}
				case *batchv1.Job:
					wantConfined(t, "Job "+o.Name, o.Spec.Template.Spec)
				}
			}
			if kinds["StatefulSet"] != 1 || kinds["ConfigMap"] == 0 || kinds["Service"] < 2 {
				t.Errorf("rendered %v", kinds)
			}
			if name == "everything-values.yaml" {
				for _, kind := range []string{"PodDisruptionBudget", "NetworkPolicy", "Job", "ServiceAccount", "Ingress"} {
					if kinds[kind] == 0 {
						t.Errorf("no %s among %v", kind, kinds)
					}
				}
			}
		})
	}
}

// wantConfined holds pods to the restricted Pod Security Standard.
func wantConfined(t *testing.T, what string, pod corev1.PodSpec) {
	t.Helper()
	if s := pod.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s: the pod may run as root, or without seccomp", what)
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Errorf("%s: the pod is given a token of the cluster", what)
	}
	for _, c := range pod.Containers {
		s := c.SecurityContext
		if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
			s.Capabilities == nil || fmt.Sprint(s.Capabilities.Drop) != "[ALL]" {
			t.Errorf("%s: %s keeps privileges", what, c.Name)
		}
		for _, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
				t.Errorf("%s: %s has a secret in its environment", what, c.Name)
			}
		}
	}
}

// TestChart_TheConfigurationIsValid has the binary that CAUSEWAY names read the
// configuration as the pod would.
func TestChart_TheConfigurationIsValid(t *testing.T) {
	binary := os.Getenv("CAUSEWAY")
	if binary == "" {
		binary = "../../bin/causeway"
	}
	for name, v := range sets(t) {
		t.Run(name, func(t *testing.T) {
			rendered, err := render(t, v)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			check := exec.Command(binary, "config", "check", "-c", dir+"/causeway.yaml")
			check.Env = os.Environ()
			for _, o := range objects(t, rendered) {
				switch o := o.(type) {
				case *corev1.ConfigMap:
					write(t, dir+"/causeway.yaml", o.Data["causeway.yaml"])
				case *appsv1.StatefulSet:
					for _, e := range o.Spec.Template.Spec.Containers[0].Env {
						file := filepath.Join(dir, e.Name)
						write(t, file, map[string]string{
							"CAUSEWAY_DATABASE_URL_FILE":    "postgres://causeway:secret@db.example.com/west",
							"CAUSEWAY_KEYS_MASTER_KEY_FILE": base64.StdEncoding.EncodeToString(make([]byte, 32)),
						}[e.Name])
						check.Env = append(check.Env, e.Name+"="+file)
					}
				}
			}
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%v: run make build first?\n%s", err, out)
			}
		})
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Values that cannot work are refused when they are given, and not by a cell that
// does not start.
func TestChart_RefusesWhatCannotWork(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(v map[string]any)
		want   string
	}{
		"two cells on SQLite":         {func(v map[string]any) { v["replicas"] = 2 }, "SQLite is for one cell"},
		"SQLite that goes with a pod": {func(v map[string]any) { delete(v, "persistence") }, "persistence.enabled"},
		"no public address":           {func(v map[string]any) { delete(v["config"].(map[string]any), "public") }, "config.public.url"},
		"no database":                 {func(v map[string]any) { delete(v["config"].(map[string]any), "database") }, "databaseUrl.secret"},
		"two databases":               {func(v map[string]any) { v["databaseUrl"] = map[string]any{"secret": "west"} }, "both set"},
		"cells without a master key": {func(v map[string]any) {
			delete(v["config"].(map[string]any), "database")
			v["databaseUrl"], v["replicas"] = map[string]any{"secret": "west"}, 2
		}, "masterKey.secret"},
		"a value that there is not":   {func(v map[string]any) { v["replicaCount"] = 2 }, "replicaCount"},
		"replicas that are no number": {func(v map[string]any) { v["replicas"] = "two" }, "replicas"},
	} {
		t.Run(name, func(t *testing.T) {
			v := values(t, folder+"/ci/sqlite-values.yaml")
			tt.change(v)
			if _, err := render(t, v); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("answered %v, want it to name %s", err, tt.want)
			}
		})
	}
}
