package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/ingest"
)

// Analysts' tables: judgements, topics and logs as CSV, XLSX or JSONL, with whatever names their columns have.

// columnNames are the names by which people call what we look for, in small letters, beside ours. --columns adds others.
var columnNames = map[string][]string{
	"id":      {"topic", "query", "query_id", "qid", "topic_id", "mã"},
	"topic":   {"query", "query_id", "qid", "topic_id", "problem", "problem_id", "vấn đề", "problème", "문제", "问题"},
	"listing": {"document", "doc", "docid", "doc_id", "document_id", "listing_id", "expert", "technology", "candidate", "chuyên gia", "công nghệ", "ứng viên", "candidat", "후보", "候选"},
	"grade":   {"relevance", "rel", "label", "judgement", "judgment", "stage", "điểm", "mức độ", "giai đoạn", "note", "pertinence", "étape", "등급", "단계", "评分", "阶段"},
	"title":   {"name", "tiêu đề", "tên", "titre", "제목", "标题"},
	"lang":    {"language", "ngôn ngữ", "langue", "언어", "语言"}, "fields": {"field", "lĩnh vực"}, "regions": {"region", "country"}, "languages": nil,
	"propensity": nil, "reward": {"accepted"},
	"text": {"desc", "description", "nội dung", "mô tả", "texte", "내용", "内容"},
}

// table is a file of rows whose columns have our names.
type table struct {
	path    string
	columns map[string]string // ours -> theirs, as far as --columns says
}

// row is one line of it.
type row struct {
	line   int
	values map[string]jsontext.Value
	names  map[string]string // ours -> theirs
}

// cell returns what stands under one of our names, trimmed; "" for nothing.
func (r *row) cell(key string) string {
	v := r.values[r.names[key]]
	var s string
	if len(v) == 0 || v.Kind() == 'n' || json.Unmarshal(v, &s) != nil {
		s = strings.TrimSuffix(string(v), "null")
	}
	return strings.TrimSpace(s)
}

// isTable reports whether a file is one of rows with named columns, told by its name; TREC's are not.
func isTable(path string) bool {
	name := strings.TrimSuffix(strings.ToLower(path), ".gz")
	return slices.ContainsFunc([]string{".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

// each yields every row. keys are the columns wanted, those from needed on may be absent. Errors name the line.
func (t *table) each(keys []string, needed int, yield func(*row) error) error {
	src, err := ingest.Open(t.path, ingest.Format{})
	if err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	defer src.Close()
	r := &row{}
	header, isRows := src.(interface{ Columns() []string })
	if isRows {
		if r.names, err = t.find(header.Columns(), keys, needed); err != nil {
			return fmt.Errorf("%s: %w", t.path, err)
		}
	}
	for n := 0; ; n++ {
		record, err := src.Next()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return fmt.Errorf("%s: no rows", t.path)
			}
			return nil
		}
		if err == nil && !isRows { // each object of JSON has names of its own
			r.names, err = t.find(slices.Sorted(maps.Keys(record.Values)), keys, needed)
		}
		if err == nil {
			r.line, r.values = record.Line, record.Values
			err = yield(r)
		}
		var named *ingest.RecordError
		if err != nil && !errors.As(err, &named) {
			err = &ingest.RecordError{Line: record.Line, Reason: err.Error()}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.path, err)
		}
	}
}

// find leads our names to the columns that are there.
func (t *table) find(columns, keys []string, needed int) (map[string]string, error) {
	out := map[string]string{}
	for i, key := range keys {
		names := append([]string{key}, columnNames[key]...)
		if theirs := t.columns[key]; theirs != "" {
			names = []string{theirs}
		}
		for _, name := range names {
			at := slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(strings.TrimSpace(c), name) })
			if at >= 0 {
				out[key] = columns[at]
				break
			}
		}
		if out[key] == "" && (i < needed || t.columns[key] != "") {
			return nil, fmt.Errorf("no column %s among %s: name it with --columns %s=NAME", names[0], strings.Join(columns, ", "), key)
		}
	}
	return out, nil
}
