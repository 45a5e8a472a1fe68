// Checks manifests of Kubernetes against the Go types of its API, and Compose files against the Compose specification.
//
//	deploy-check kubernetes FILE...    prints kind and name of each object
//	deploy-check compose FILE...       prints the name of each service
//
// A member that the API does not know is an error, as is a value of another type. What only a server checks (a name that
// is too long, a selector that selects nothing) is not checked.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sort"

	"github.com/compose-spec/compose-go/v2/cli"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// The kinds that the examples use.
var kinds = map[string]func() meta.Object{
	"apps/v1 Deployment": func() meta.Object { return &apps.Deployment{} },
	"batch/v1 Job":       func() meta.Object { return &batch.Job{} },
	"v1 ConfigMap":       func() meta.Object { return &core.ConfigMap{} },
	"v1 Service":         func() meta.Object { return &core.Service{} },
	"monitoring.coreos.com/v1 ServiceMonitor": func() meta.Object { return &monitoring.ServiceMonitor{} },
}

func main() {
	check := map[string]func(string) error{"kubernetes": kubernetes, "compose": compose}[os.Args[1]]
	for _, file := range os.Args[2:] {
		if err := check(file); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			os.Exit(1)
		}
	}
}

func kubernetes(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, part := range bytes.Split(text, []byte("\n---\n")) {
		var header meta.TypeMeta
		if err := yaml.Unmarshal(part, &header); err != nil {
			return err
		}
		make, known := kinds[header.APIVersion+" "+header.Kind]
		if !known {
			return fmt.Errorf("no type for %s %s", header.APIVersion, header.Kind)
		}
		object := make()
		// As a server reads it: names count exactly, and a name that is not known is an error.
		document, err := yaml.YAMLToJSONStrict(part)
		if err != nil {
			return err
		}
		faults, err := json.UnmarshalStrict(document, object)
		if err != nil {
			return err
		}
		if len(faults) > 0 {
			return errors.Join(faults...)
		}
		fmt.Println(header.Kind, object.GetName())
	}
	return nil
}

func compose(file string) error {
	options, err := cli.NewProjectOptions([]string{file})
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	names := project.ServiceNames()
	sort.Strings(names)
	for _, name := range names {
		fmt.Println("service", name)
	}
	return nil
}
