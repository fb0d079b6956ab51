package fake

// Shape is a way of answering.
type Shape string

// Shapes of answers. The comment says what is amiss.
const (
	Good Shape = "good" // nothing

	// Rows that can be put right.
	Shuffled Shape = "shuffled" // rows in another order, numbered well
	NoIndex  Shape = "no-index" // rows in order, not numbered
	Scaled   Shape = "scaled"   // vectors ten times as long as the unit
	Base64   Shape = "base64"   // base64, whatever was asked
	Floats   Shape = "floats"   // an array, whatever was asked

	// Rows that are missing or unusable.
	Short       Shape = "short"        // the last row is missing
	NoRows      Shape = "no-rows"      // an empty list
	NullRow     Shape = "null-row"     // a row is null
	NullVector  Shape = "null-vector"  // a vector is null
	NullElement Shape = "null-element" // an element is null
	NaN         Shape = "nan"          // an element is NaN, which is no JSON: Python writes it
	Infinite    Shape = "infinite"     // an element is -Infinity, likewise
	Base64NaN   Shape = "base64-nan"   // an element is NaN within base64
	Base64Cut   Shape = "base64-cut"   // base64 that ends within an element
	Overflow    Shape = "overflow"     // an element is 1e39, beyond 32 bits
	Text        Shape = "text"         // an element is a string
	Underflow   Shape = "underflow"    // all elements are 1e-50, which are 0 in 32 bits
	Tiny        Shape = "tiny"         // all elements are 1e-30
	Huge        Shape = "huge"         // all elements are 3e38
	Zero        Shape = "zero"         // all elements are 0
	OneWider    Shape = "one-wider"    // a vector has one element more

	// Answers that are wrong as a whole.
	DuplicateIndex Shape = "duplicate-index" // two rows have the same number
	BeyondIndex    Shape = "beyond-index"    // numbers from 1 instead of 0
	NegativeIndex  Shape = "negative-index"  // a number is -1
	TextIndex      Shape = "text-index"      // a number is a string
	AllWider       Shape = "all-wider"       // all vectors have one element more
	Same           Shape = "same"            // the same vector for all
	Error200       Shape = "error-200"       // an error under 200
	Empty200       Shape = "empty-200"       // nothing under 200
	NotJSON        Shape = "not-json"        // text under 200
	Cut            Shape = "cut"             // JSON that ends early, under 200
	ManyRows       Shape = "many-rows"       // 200,000 rows that are {}

	// Errors.
	BadRequest    Shape = "bad-request"   // 400
	TooLarge      Shape = "too-large"     // 413, HTML
	Unprocessable Shape = "unprocessable" // 422, {"detail":[{"msg":"…"}]}
	Unauthorized  Shape = "unauthorized"  // 401, saying the key that was sent
	Forbidden     Shape = "forbidden"     // 403, {"message":"…"}
	UnknownModel  Shape = "unknown-model" // 404
	NoQuota       Shape = "no-quota"      // 429 that no waiting mends
	Busy          Shape = "busy"          // 429 with Retry-After in seconds
	BusyUntil     Shape = "busy-until"    // 429 with Retry-After as a date, 7 s from now
	BusyForever   Shape = "busy-forever"  // 429 with Retry-After of 10^9
	BusySilent    Shape = "busy-silent"   // 429 without Retry-After
	Error500      Shape = "error-500"     // 500, {"error":"text"}, of 10,000 characters and hostile
	BadGateway    Shape = "bad-gateway"   // 502, HTML
	Unavailable   Shape = "unavailable"   // 503 with Retry-After in seconds
	Redirect      Shape = "redirect"      // 307 to another host
	Hang          Shape = "hang"          // no answer until the client goes
	Drip          Shape = "drip"          // a byte every 10 ms, without end
	Reset         Shape = "reset"         // the connection is reset in mid-body
	Dropped       Shape = "dropped"       // the connection is closed before any answer
)

// Shapes lists all shapes but Good.
var Shapes = []Shape{
	Shuffled, NoIndex, Scaled, Base64, Floats,
	Short, NoRows, NullRow, NullVector, NullElement, NaN, Infinite, Base64NaN, Base64Cut, Overflow, Text, Underflow, Tiny, Huge, Zero, OneWider,
	DuplicateIndex, BeyondIndex, NegativeIndex, TextIndex, AllWider, Same, Error200, Empty200, NotJSON, Cut, ManyRows,
	BadRequest, TooLarge, Unprocessable, Unauthorized, Forbidden, UnknownModel, NoQuota, Busy, BusyUntil, BusyForever, BusySilent,
	Error500, BadGateway, Unavailable, Redirect, Hang, Drip, Reset, Dropped,
}
