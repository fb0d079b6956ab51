package openalex

// ford leads from the fields of OpenAlex (its list of 26, which has the numbers of Scopus' ASJC) to those of the OECD
// (Frascati Manual 2015, table 2.2). The correspondence is the project's: a field that covers several minor ones of the
// OECD leads to the two it mostly holds, or to the major one.
var ford = map[string][]string{
	"11": {"4.1", "1.6"}, // Agricultural and Biological Sciences
	"12": {"6"},          // Arts and Humanities
	"13": {"1.6"},        // Biochemistry, Genetics and Molecular Biology
	"14": {"5.2"},        // Business, Management and Accounting
	"15": {"2.4"},        // Chemical Engineering
	"16": {"1.4"},        // Chemistry
	"17": {"1.2"},        // Computer Science
	"18": {"5.2"},        // Decision Sciences
	"19": {"1.5"},        // Earth and Planetary Sciences
	"20": {"5.2"},        // Economics, Econometrics and Finance
	"21": {"2.7"},        // Energy: "energy and fuels" are part of 2.7
	"22": {"2"},          // Engineering
	"23": {"1.5", "2.7"}, // Environmental Science
	"24": {"3.1", "1.6"}, // Immunology and Microbiology
	"25": {"2.5"},        // Materials Science
	"26": {"1.1"},        // Mathematics
	"27": {"3.2"},        // Medicine
	"28": {"3.1"},        // Neuroscience
	"29": {"3.3"},        // Nursing
	"30": {"3.1"},        // Pharmacology, Toxicology and Pharmaceutics
	"31": {"1.3"},        // Physics and Astronomy
	"32": {"5.1"},        // Psychology
	"33": {"5"},          // Social Sciences
	"34": {"4.3"},        // Veterinary
	"35": {"3.2"},        // Dentistry
	"36": {"3.3"},        // Health Professions
}
