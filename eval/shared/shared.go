// Package shared leads tests and benchmarks to the folder with real data that stands outside the repository.
package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of a file in the folder that KETNOI_SHARED names, by default ../shared beside the repository.
// Where the file is missing, the test is skipped, saying so; with CI=true it fails.
func Path(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("KETNOI_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "shared")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root(t), dir)
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing; KETNOI_SHARED names the folder", path)
		}
		t.Skipf("%s is missing; KETNOI_SHARED names the folder", path)
	}
	return path
}

// root is the folder of go.mod, above the package under test.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if up := filepath.Dir(dir); up != dir {
			dir = up
			continue
		}
		t.Fatal("no go.mod above the package")
	}
}
