package orcid

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

// profile is as much of a record as an expert is made of. JSON and XML have the same shape but for two things, which
// value and group even out.
type profile struct {
	ID struct {
		Path string `json:"path" xml:"path"`
	} `json:"orcid-identifier" xml:"orcid-identifier"`
	History struct {
		Deactivated *any  `json:"deactivation-date" xml:"-"`
		Date        value `json:"-" xml:"deactivation-date"`
	} `json:"history" xml:"history"`
	Person     person     `json:"person" xml:"person"`
	Activities activities `json:"activities-summary" xml:"activities-summary"`
	Message    string     `json:"user-message" xml:"user-message"` // of an error in place of a record
}

// value is {"value": "…"} in JSON, and the text of an element in XML.
type value struct {
	Value text `json:"value" xml:",chardata"`
}

type person struct {
	Name struct {
		Given      value  `json:"given-names" xml:"given-names"`
		Family     value  `json:"family-name" xml:"family-name"`
		Credit     value  `json:"credit-name" xml:"credit-name"`
		Visibility string `json:"visibility" xml:"visibility,attr"`
	} `json:"name" xml:"name"`
	Biography item `json:"biography" xml:"biography"`
	Others    struct {
		List []item `json:"other-name" xml:"other-name"`
	} `json:"other-names" xml:"other-names"`
	Keywords struct {
		List []item `json:"keyword" xml:"keyword"`
	} `json:"keywords" xml:"keywords"`
	Addresses struct {
		List []address `json:"address" xml:"address"`
	} `json:"addresses" xml:"addresses"`
	Links struct {
		List []link `json:"researcher-url" xml:"researcher-url"`
	} `json:"researcher-urls" xml:"researcher-urls"`
}

// item is one text of a person. The greater its index, the further up it stands.
type item struct {
	Content    text   `json:"content" xml:"content"`
	Visibility string `json:"visibility" xml:"visibility,attr"`
	Index      text   `json:"display-index" xml:"display-index,attr"`
}

type address struct {
	Country    value  `json:"country" xml:"country"`
	Visibility string `json:"visibility" xml:"visibility,attr"`
	Index      text   `json:"display-index" xml:"display-index,attr"`
}

type link struct {
	URL        value  `json:"url" xml:"url"`
	Visibility string `json:"visibility" xml:"visibility,attr"`
	Index      text   `json:"display-index" xml:"display-index,attr"`
}

type activities struct {
	Employments struct {
		Groups []struct {
			Wrapped []struct {
				Employment employment `json:"employment-summary" xml:"-"`
			} `json:"summaries" xml:"-"`
			Bare []employment `json:"-" xml:"employment-summary"`
		} `json:"affiliation-group" xml:"affiliation-group"`
	} `json:"employments" xml:"employments"`
	Works struct {
		Groups []struct {
			Summaries []work `json:"work-summary" xml:"work-summary"`
		} `json:"group" xml:"group"`
	} `json:"works" xml:"works"`
}

type date struct {
	Year  value `json:"year" xml:"year"`
	Month value `json:"month" xml:"month"`
	Day   value `json:"day" xml:"day"`
}

type employment struct {
	Department   text  `json:"department-name" xml:"department-name"`
	Role         text  `json:"role-title" xml:"role-title"`
	Start        date  `json:"start-date" xml:"start-date"`
	End          *date `json:"end-date" xml:"end-date"`
	Organisation struct {
		Name    text `json:"name" xml:"name"`
		Address struct {
			Country text `json:"country" xml:"country"`
		} `json:"address" xml:"address"`
	} `json:"organization" xml:"organization"`
	Visibility string `json:"visibility" xml:"visibility,attr"`
	Index      text   `json:"display-index" xml:"display-index,attr"`
}

type work struct {
	Title struct {
		Title    value `json:"title" xml:"title"`
		Subtitle value `json:"subtitle" xml:"subtitle"`
	} `json:"title" xml:"title"`
	Description text `json:"short-description" xml:"short-description"` // of a work in full
	IDs         struct {
		List []struct {
			Type         string `json:"external-id-type" xml:"external-id-type"`
			Value        text   `json:"external-id-value" xml:"external-id-value"`
			Normalised   value  `json:"external-id-normalized" xml:"external-id-normalized"`
			Relationship string `json:"external-id-relationship" xml:"external-id-relationship"`
		} `json:"external-id" xml:"external-id"`
	} `json:"external-ids" xml:"external-ids"`
	URL        value  `json:"url" xml:"url"`
	Date       date   `json:"publication-date" xml:"publication-date"`
	Visibility string `json:"visibility" xml:"visibility,attr"`
	Index      text   `json:"display-index" xml:"display-index,attr"`
}

// text is a string that JSON may also write as a number: "2012", 2012.
type text string

// UnmarshalJSONFrom reads a string, a number, or null.
func (t *text) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	switch v.Kind() {
	case '"':
		b, err := jsontext.AppendUnquote(nil, v)
		*t = text(b)
		return err
	case '0':
		*t = text(v)
		return nil
	case 'n':
		return nil
	}
	return errors.New("want a text or a number")
}
