#include "opa_sql_lexer.h"
#include "opa_sql_summary.h"
#include "opa_bytes.h"
#include "opa_utf8.h"

/* Where the text stands in a list of values after IN. */
typedef enum in_list {
	IN_NONE,
	IN_AHEAD, /* IN has been read */
	IN_VALUES /* after the parenthesis there were values and commas only */
} in_list;

/* Where it stands in rows: (1, 2), (3, 4), after VALUES or in parentheses after IN. */
typedef enum row_list {
	ROWS_NONE,
	ROWS_AHEAD,
	ROWS_FIRST,
	ROWS_BETWEEN, /* a row has ended */
	ROWS_COMMA,   /* and a comma followed, which is held back */
	ROWS_LATER    /* a row that is left out */
} row_list;

typedef struct writer {
	opa_sql *to;
	opa_sql_lexer lexer;
	opa_sql_summary summary;
	size_t depth;
	bool whole;   /* the lexer sees all of the text */
	bool settled; /* how backslashes are meant */
	bool full;    /* the text */
	bool gap;     /* a comment has been left out */

	in_list in;
	size_t in_values; /* how many; all but the first are held back */
	bool in_comma;    /* held back, as the space is */
	bool in_space;

	row_list rows;
	size_t row_depth; /* within a row */
	bool row_space;   /* held back */
} writer;

/* ---- output ---- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void put(writer *w, const char *data, size_t len)
{
	opa_sql *to = w->to;
	if (w->full || w->rows == ROWS_LATER) {
		return;
	}
	size_t space = w->gap && to->text_len > 0 && !is_space(to->text[to->text_len - 1]);
	w->gap = false;
	if (len + space > to->text_size - to->text_len) {
		w->full = true;
		return;
	}
	if (space) {
		to->text[to->text_len++] = ' ';
	}
	opa_copy(to->text + to->text_len, data, len);
	to->text_len += len;
}

/* As the text has it. Tokens are short, and where there is room for more, copying them is one step.
 */
static void put_token(writer *w)
{
	const opa_sql_lexer *l = &w->lexer;
	opa_sql *to = w->to;
	size_t len = (size_t)(l->at - l->start);
	bool is_simple = !w->full && !w->gap && w->rows != ROWS_LATER && len <= 16;
	if (OPA_LIKELY(is_simple && l->end - l->start >= 16 && to->text_size - to->text_len >= 16)) {
		memcpy(to->text + to->text_len, l->start, 16);
		to->text_len += len;
	} else {
		put(w, l->start, len);
	}
}

static void put_space(writer *w)
{
	w->gap = false;
	if (w->to->text_len > 0) {
		put_token(w);
	}
}

static void trim(opa_sql *to)
{
	while (to->text_len > 0 && is_space(to->text[to->text_len - 1])) {
		to->text_len--;
	}
}

/* ---- lists ---- */

/* It was a list of other things, too: what was held back is written after all. */
static void leave_in_list(writer *w)
{
	for (; w->in_values > 1 && !w->full; w->in_values--) {
		put(w, ", ?", 3);
	}
	if (w->in_comma) {
		put(w, ",", 1);
	}
	if (w->in_space) {
		put(w, " ", 1);
	}
	w->in = IN_NONE;
}

/* Answers whether there is nothing more to the token. */
static bool take_in_list(writer *w, opa_sql_token token)
{
	bool is_mark = token == OPA_SQL_PARAMETER && w->lexer.at - w->lexer.start == 1;
	if (token == OPA_SQL_SPACE) {
		w->in_space = w->in_values > 0;
		return w->in_space;
	}
	if (token == OPA_SQL_VALUE || is_mark) {
		w->in_comma = w->in_space = false;
		return w->in_values++ > 0;
	}
	if (token == OPA_SQL_COMMA && w->in_values > 0 && !w->in_comma) {
		w->in_comma = true;
		w->in_space = false;
		return true;
	}
	if (token == OPA_SQL_CLOSE && !w->in_comma) {
		w->in = IN_NONE;
		w->gap = false;
		return false;
	}
	leave_in_list(w);
	return false;
}

static bool follow_in_list(writer *w, opa_sql_token token)
{
	if (w->in == IN_VALUES) {
		if (take_in_list(w, token)) {
			return true;
		}
		if (w->in == IN_VALUES || token != OPA_SQL_OPEN) {
			return false;
		}
		/* IN ((1, 2), (3, 4)): rows. */
		if (w->in_values == 0 && w->rows == ROWS_NONE) {
			w->rows = ROWS_AHEAD;
		}
	} else if (w->in == IN_AHEAD && token != OPA_SQL_SPACE) {
		w->in = token == OPA_SQL_OPEN ? IN_VALUES : IN_NONE;
		w->in_values = 0;
		w->in_comma = w->in_space = false;
		return false;
	}
	if (token == OPA_SQL_WORD && w->lexer.word == OPA_SQL_IN) {
		w->in = IN_AHEAD;
	}
	return false;
}

/* The comma before what is no row: VALUES(a), b = 1. */
static void leave_rows(writer *w)
{
	if (w->rows == ROWS_COMMA) {
		put(w, ",", 1);
		if (w->row_space) {
			put(w, " ", 1);
		}
	}
	w->rows = ROWS_NONE;
}

static bool take_between_rows(writer *w, opa_sql_token token)
{
	if (token == OPA_SQL_SPACE) {
		w->row_space = w->rows == ROWS_COMMA;
		return w->row_space;
	}
	if (token == OPA_SQL_COMMA && w->rows == ROWS_BETWEEN) {
		w->rows = ROWS_COMMA;
		w->row_space = false;
		return true;
	}
	if (token == OPA_SQL_OPEN && w->rows == ROWS_COMMA) {
		w->rows = ROWS_LATER;
		w->row_depth = w->depth;
		return true;
	}
	leave_rows(w);
	return false;
}

/* Answers whether there is nothing more to the token. The depth is that before it. */
static bool follow_rows(writer *w, opa_sql_token token)
{
	switch (w->rows) {
	case ROWS_NONE:
		if (token == OPA_SQL_WORD && w->lexer.word == OPA_SQL_VALUES) {
			w->rows = ROWS_AHEAD;
		}
		return false;
	case ROWS_AHEAD:
		if (token == OPA_SQL_OPEN) {
			w->rows = ROWS_FIRST;
			w->row_depth = w->depth;
		} else if (token != OPA_SQL_SPACE) {
			w->rows = ROWS_NONE;
		}
		return false;
	case ROWS_FIRST:
	case ROWS_LATER:
		if (token == OPA_SQL_CLOSE && w->depth == w->row_depth + 1) {
			bool is_left_out = w->rows == ROWS_LATER;
			w->rows = ROWS_BETWEEN;
			return is_left_out;
		}
		return w->rows == ROWS_LATER;
	default:
		return take_between_rows(w, token);
	}
}

static bool follow_lists(writer *w, opa_sql_token token)
{
	opa_sql_word word = w->lexer.word;
	if (OPA_LIKELY(w->in == IN_NONE && w->rows == ROWS_NONE && word != OPA_SQL_IN &&
				   word != OPA_SQL_VALUES)) {
		return false;
	}
	bool is_done = follow_in_list(w, token);
	return follow_rows(w, token) || is_done;
}

static void follow_depth(writer *w, opa_sql_token token)
{
	if (token == OPA_SQL_OPEN) {
		w->depth++;
	} else if (token == OPA_SQL_CLOSE && w->depth > 0) {
		w->depth--;
	}
}

/* ---- readings ---- */

typedef struct attempt {
	opa_sql_reading reading;
	bool possible;
	bool doubtful_single;
	bool doubtful_twofold;
} attempt;

/* Reads the rest in that way, from the last token on. */
static attempt try_reading(const writer *w, bool single, bool twofold)
{
	opa_sql_lexer l = w->lexer;
	l.at = l.start;
	l.reading = (opa_sql_reading){single, twofold};
	l.doubtful_single = l.doubtful_twofold = l.open = l.broken = false;
	opa_sql_token token;
	do {
		token = opa_sql_lexer_next(&l);
	} while (token != OPA_SQL_END && token != OPA_SQL_DOUBT);
	/* Where the end was not seen, what is open there may be closed behind it. */
	bool possible = !l.broken && !(l.open && w->whole);
	return (attempt){l.reading, possible, l.doubtful_single, l.doubtful_twofold};
}

/*
 * A quote with a backslash before it: sets the lexer to the one way to read the rest that is
 * possible, and answers whether there is just one. Ways that do not differ are tried once:
 * MySQL's three are escapes in all strings, in none, and with ANSI_QUOTES in '...' alone.
 */
static bool settle(writer *w)
{
	opa_sql_lexer *l = &w->lexer;
	if (!opa_utf8_is_valid(l->start, (size_t)(l->end - l->start))) {
		return false;
	}
	attempt tried[3];
	size_t count = 0, possible = 0;
	bool two_kinds = l->dialect != OPA_SQL_POSTGRESQL, differs = true;
	tried[count++] = try_reading(w, true, two_kinds);
	if (tried[0].doubtful_twofold) {
		tried[count] = try_reading(w, true, false);
		differs = tried[count++].doubtful_single;
	}
	if (differs) {
		tried[count++] = try_reading(w, false, false);
	}
	for (size_t i = 0; i < count; i++) {
		if (tried[i].possible) {
			l->reading = tried[i].reading;
			possible++;
		}
	}
	return possible == 1;
}

static opa_sql_token next(writer *w)
{
	opa_sql_lexer *l = &w->lexer;
	opa_sql_token token = opa_sql_lexer_next(l);
	if (w->settled || !(l->doubtful_single || l->doubtful_twofold)) {
		return token;
	}
	w->settled = true;
	if (!settle(w)) {
		l->at = l->end;
		return OPA_SQL_DOUBT;
	}
	l->at = l->start;
	return opa_sql_lexer_next(l);
}

/* ---- the text ---- */

/* "name", which SQLite may take for a string: where a value is expected, and no name's part. */
static bool may_be_string(const writer *w, opa_sql_token before, opa_sql_word word)
{
	const opa_sql_lexer *l = &w->lexer;
	if (l->dialect != OPA_SQL_SQLITE || *l->start != '"' || (l->at < l->end && *l->at == '.')) {
		return false;
	}
	bool in_values = w->in == IN_VALUES || (w->rows == ROWS_FIRST && before != OPA_SQL_DOT);
	return in_values || before == OPA_SQL_OPERATOR || word == OPA_SQL_COMPARE;
}

static void write_token(writer *w, opa_sql_token token)
{
	bool is_done = follow_lists(w, token);
	follow_depth(w, token);
	if (is_done) {
		return;
	}
	switch (token) {
	case OPA_SQL_SPACE:
		put_space(w);
		break;
	case OPA_SQL_VALUE:
	case OPA_SQL_DOUBT:
		put(w, "?", 1);
		break;
	default:
		put_token(w);
	}
}

static void run(writer *w)
{
	for (;;) {
		opa_sql_token before = w->lexer.token;
		opa_sql_word word = w->lexer.word;
		opa_sql_token token = next(w);
		if (token == OPA_SQL_COMMENT) {
			w->gap = true;
			continue;
		}
		if (token == OPA_SQL_NAME && may_be_string(w, before, word)) {
			token = OPA_SQL_VALUE;
		}
		write_token(w, token);
		if (token != OPA_SQL_SPACE) {
			opa_sql_summary_take(&w->summary, &w->lexer, token);
		}
		w->to->cut = w->to->cut || w->full || token == OPA_SQL_DOUBT;
		bool enough = w->full && opa_sql_summary_is_complete(&w->summary);
		if (token == OPA_SQL_END || token == OPA_SQL_DOUBT || enough) {
			return;
		}
	}
}

void opa_sql_describe(opa_str sql, opa_sql_dialect dialect, opa_sql *to)
{
	writer w;
	memset(&w, 0, sizeof(w));
	w.to = to;
	w.whole = sql.len <= OPA_SQL_READ_MAX;
	w.full = to->text_size == 0;
	to->text_len = 0;
	to->cut = !w.whole;
	sql.len = w.whole ? sql.len : OPA_SQL_READ_MAX;
	opa_sql_lexer_init(&w.lexer, sql, dialect);
	opa_sql_summary_init(&w.summary, to->summary, to->summary_size);
	run(&w);
	trim(to);
	to->summary_len = w.summary.len;
	to->operation_len = w.summary.operation_len;
}
