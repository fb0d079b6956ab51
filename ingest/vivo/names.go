package vivo

// The vocabularies of a VIVO, as far as an expert is made of them.
const (
	rdf   = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	rdfs  = "http://www.w3.org/2000/01/rdf-schema#"
	foaf  = "http://xmlns.com/foaf/0.1/"
	core  = "http://vivoweb.org/ontology/core#"
	bibo  = "http://purl.org/ontology/bibo/"
	vcard = "http://www.w3.org/2006/vcard/ns#"
	obo   = "http://purl.obolibrary.org/obo/"

	isA         = rdf + "type"
	label       = rdfs + "label"
	subClassOf  = rdfs + "subClassOf"
	foafPerson  = foaf + "Person"
	relates     = core + "relates"
	relatedBy   = core + "relatedBy"
	overview    = core + "overview"
	researches  = core + "researchOverview"
	area        = core + "hasResearchArea"
	areaOf      = core + "researchAreaOf"
	subject     = core + "hasSubjectArea"
	keyword     = core + "freetextKeyword"
	orcidID     = core + "orcidId"
	patent      = core + "patentNumber"
	dateValue   = core + "dateTimeValue"
	interval    = core + "dateTimeInterval"
	start       = core + "start"
	ended       = core + "end"
	dateTime    = core + "dateTime"
	focus       = core + "geographicFocus"
	middleName  = core + "middleName"
	prefTitle   = core + "preferredTitle"
	firstName   = foaf + "firstName"
	lastName    = foaf + "lastName"
	doi         = bibo + "doi"
	abstract    = bibo + "abstract"
	contact     = obo + "ARG_2000028" // has contact information: a vcard
	partOf      = obo + "BFO_0000050"
	bears       = obo + "RO_0000053" // a role
	inheresIn   = obo + "RO_0000052"
	realisedIn  = obo + "BFO_0000054" // what a role is played in
	realises    = obo + "BFO_0000055"
	hasName     = vcard + "hasName"
	hasTitle    = vcard + "hasTitle"
	hasURL      = vcard + "hasURL"
	hasAddress  = vcard + "hasAddress"
	givenName   = vcard + "givenName"
	familyName  = vcard + "familyName"
	title       = vcard + "title"
	url         = vcard + "url"
	country     = vcard + "country"
	authorship  = core + "Authorship"
	grant       = core + "Grant"
	invitedTalk = core + "InvitedTalk"
	talk        = core + "Presentation"
)

// kept are the properties that the graph holds; all others are passed over as they are read.
var kept = set(isA, label, subClassOf, relates, relatedBy, overview, researches, area, areaOf, subject, keyword, orcidID, patent, dateValue,
	interval, start, ended, dateTime, focus, middleName, prefTitle, firstName, lastName, doi, abstract, contact, partOf, bears, inheresIn,
	realisedIn, realises, hasName, hasTitle, hasURL, hasAddress, givenName, familyName, title, url, country)

// inverse are properties that say the same from either end; files state one of them or both.
var inverse = map[string]string{relates: relatedBy, relatedBy: relates, area: areaOf, areaOf: area, bears: inheresIn, inheresIn: bears,
	realisedIn: realises, realises: realisedIn}

// persons are foaf:Person and what VIVO's ontology puts below it. Classes of an institution's own come from the graph.
var persons = set(foafPerson, core+"FacultyMember", core+"NonFacultyAcademic", core+"Postdoc", core+"Librarian", core+"EmeritusLibrarian",
	core+"EmeritusFaculty", core+"EmeritusProfessor", core+"NonAcademic", core+"Student", core+"GraduateStudent", core+"UndergraduateStudent")

// agents may stand beside persons as authors; they are no works.
var agents = set(foaf+"Agent", foaf+"Organization", foaf+"Group", vcard+"Kind", vcard+"Individual", core+"University", core+"College",
	core+"AcademicDepartment", core+"Department", core+"Institute", core+"Center", core+"Company", core+"ResearchOrganization")

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}
