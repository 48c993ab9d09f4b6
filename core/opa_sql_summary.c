#include "opa_sql_summary.h"
#include "opa_bytes.h"

void opa_sql_summary_init(opa_sql_summary *summary, char *to, size_t size)
{
	memset(summary, 0, sizeof(*summary));
	summary->to = to;
	summary->size = size < OPA_SQL_SUMMARY_MAX ? size : OPA_SQL_SUMMARY_MAX;
	summary->full = summary->size == 0;
	summary->last = OPA_SQL_SEMICOLON;
}

static void append(opa_sql_summary *s, const char *text, size_t len)
{
	size_t space = s->len > 0;
	if (s->full || len + space > s->size - s->len) {
		s->full = true;
		return;
	}
	if (space) {
		s->to[s->len++] = ' ';
	}
	opa_copy(s->to + s->len, text, len);
	s->len += len;
}

static void append_word(opa_sql_summary *s, const opa_sql_lexer *l)
{
	append(s, l->start, (size_t)(l->at - l->start));
}

static void append_operation(opa_sql_summary *s, const opa_sql_lexer *l)
{
	bool is_first = s->len == 0;
	append_word(s, l);
	if (is_first) {
		s->operation_len = s->len;
	}
}

/* ---- depth ---- */

/* Deeper than the bits go nothing is a query. */
static uint64_t here(const opa_sql_summary *s)
{
	return s->depth < 64 ? (uint64_t)1 << s->depth : 0;
}

static void begin_query(opa_sql_summary *s)
{
	s->queries |= here(s);
	s->tables &= ~here(s);
	s->expected = OPA_SQL_NOTHING;
}

static void expect_tables(opa_sql_summary *s)
{
	s->tables |= here(s);
	s->expected = OPA_SQL_A_TABLE;
}

static void go_in(opa_sql_summary *s)
{
	bool in_tables = s->expected == OPA_SQL_A_TABLE;
	s->depth++;
	s->queries &= ~here(s);
	s->tables &= ~here(s);
	if (in_tables) {
		s->queries |= here(s);
		s->tables |= here(s);
	} else {
		s->expected = OPA_SQL_NOTHING;
	}
}

static void go_out(opa_sql_summary *s)
{
	s->depth -= s->depth > 0;
	s->expected = OPA_SQL_NOTHING;
}

static void end_statement(opa_sql_summary *s)
{
	s->operation = OPA_SQL_PLAIN;
	s->done = s->has_body = s->united = false;
	s->expected = OPA_SQL_NOTHING;
	s->depth = 0;
	s->queries = s->tables = 0;
}

/* ---- targets ---- */

static void end_target(opa_sql_summary *s)
{
	append(s, s->target, (size_t)(s->target_end - s->target));
	s->target = NULL;
}

/* Whether the token is a part of the target. */
static bool goes_on(const opa_sql_summary *s, const opa_sql_lexer *l, opa_sql_token token)
{
	if (l->start != s->target_end) {
		return false;
	}
	return token == OPA_SQL_DOT ||
		   (s->last == OPA_SQL_DOT && (token == OPA_SQL_WORD || token == OPA_SQL_NAME));
}

static void begin_target(opa_sql_summary *s, const opa_sql_lexer *l)
{
	s->target = l->start;
	s->target_end = l->at;
	if (s->operation == OPA_SQL_DROP || s->operation == OPA_SQL_TRUNCATE) {
		s->tables |= here(s);
	} else if (s->operation == OPA_SQL_DEFINE || s->operation == OPA_SQL_NAMED) {
		s->done = true;
		s->all_done = s->has_body;
	}
	s->expected = OPA_SQL_NOTHING;
}

/* Words that may stand between an operation and its target; all others name it or end the search.
 */
static bool is_passed_over(const opa_sql_summary *s, opa_sql_word word)
{
	switch (word) {
	case OPA_SQL_MODIFIER:
	case OPA_SQL_NOT:
	case OPA_SQL_OR:
		return true;
	case OPA_SQL_INTO:
	case OPA_SQL_ON:
		return s->expected == OPA_SQL_A_NAME;
	case OPA_SQL_KIND:
		/* TRUNCATE TABLE, ANALYZE TABLE, SELECT INTO TABLE; but CREATE TABLE table. */
		return s->expected == OPA_SQL_A_NAME &&
			   (s->operation == OPA_SQL_TRUNCATE || s->operation == OPA_SQL_NAMED) &&
			   s->last_word != OPA_SQL_KIND;
	default:
		return s->last_word == OPA_SQL_OR; /* INSERT OR REPLACE INTO x */
	}
}

static bool may_be_a_name(opa_sql_word word)
{
	switch (word) {
	case OPA_SQL_SELECT:
	case OPA_SQL_SET:
	case OPA_SQL_WITH:
	case OPA_SQL_FROM:
	case OPA_SQL_JOIN:
	case OPA_SQL_INTO:
	case OPA_SQL_USING:
	case OPA_SQL_CLAUSE:
	case OPA_SQL_UNION:
	case OPA_SQL_VALUES:
	case OPA_SQL_FILE:
	case OPA_SQL_ON:
	case OPA_SQL_ALL:
		return false;
	default:
		return true;
	}
}

/* ---- words ---- */

static bool is_followed_by_parenthesis(const opa_sql_lexer *l)
{
	const char *p = l->at;
	while (p < l->end && (*p == ' ' || *p == '\t')) {
		p++;
	}
	return p < l->end && *p == '(';
}

/*
 * UPDATE and the like are operations where a query may begin, but not in ON UPDATE, FOR UPDATE, and
 * where they are functions.
 */
static bool begins_query(const opa_sql_summary *s, const opa_sql_lexer *l)
{
	if ((s->queries & here(s)) != 0 || (s->depth > 0 && s->last != OPA_SQL_OPEN)) {
		return false;
	}
	return l->word != OPA_SQL_INSERT || !is_followed_by_parenthesis(l);
}

static void take_select(opa_sql_summary *s, const opa_sql_lexer *l)
{
	if (!s->united) {
		append_operation(s, l);
	}
	s->united = false;
	begin_query(s);
}

static void take_change(opa_sql_summary *s, const opa_sql_lexer *l)
{
	if (!begins_query(s, l)) {
		return;
	}
	append_operation(s, l);
	begin_query(s);
	if (l->word == OPA_SQL_UPDATE) {
		expect_tables(s);
	} else if (l->word == OPA_SQL_INSERT) {
		s->expected = OPA_SQL_A_NAME;
	}
}

/* The first word of a statement, where it is an operation of its own. */
static void take_first(opa_sql_summary *s, const opa_sql_lexer *l)
{
	switch (l->word) {
	case OPA_SQL_DROP:
	case OPA_SQL_DEFINE:
		s->expected = OPA_SQL_A_KIND;
		break;
	case OPA_SQL_TRUNCATE:
	case OPA_SQL_NAMED:
		s->expected = OPA_SQL_A_NAME;
		break;
	case OPA_SQL_LEAD:
		break;
	case OPA_SQL_LONE:
	case OPA_SQL_SET:
	case OPA_SQL_VALUES:
		s->done = true;
		break;
	case OPA_SQL_WITH:
	case OPA_SQL_MODIFIER: /* IF (SELECT ...) UPDATE ... */
		return;
	default:
		s->done = true; /* no statement that is known */
		return;
	}
	append_operation(s, l);
}

/* FROM, JOIN and the like: only in a query, for EXTRACT(YEAR FROM x) has a FROM, too. */
static void take_clause(opa_sql_summary *s, const opa_sql_lexer *l)
{
	bool in_query = (s->queries & here(s)) != 0, in_tables = (s->tables & here(s)) != 0;
	s->united = s->united && l->word == OPA_SQL_ALL;
	switch (l->word) {
	case OPA_SQL_FROM:
		if (in_query && s->last_word != OPA_SQL_ALL) {
			expect_tables(s);
		}
		break;
	case OPA_SQL_JOIN:
		s->expected = in_tables ? OPA_SQL_A_TABLE : s->expected;
		break;
	case OPA_SQL_INTO:
		s->expected = in_query ? OPA_SQL_A_NAME : s->expected;
		break;
	case OPA_SQL_USING:
		/* DELETE FROM x USING y, MERGE INTO x USING y; but x JOIN y USING (id). */
		if (in_query && !is_followed_by_parenthesis(l)) {
			expect_tables(s);
		}
		break;
	case OPA_SQL_UNION:
		s->united = true;
		s->tables &= ~here(s);
		break;
	case OPA_SQL_CLAUSE:
	case OPA_SQL_SET:
	case OPA_SQL_VALUES:
		s->tables &= ~here(s);
		break;
	default:
		break;
	}
}

static void take_word(opa_sql_summary *s, const opa_sql_lexer *l)
{
	bool is_first = s->operation == OPA_SQL_PLAIN;
	if (is_first) {
		s->operation = l->word;
		s->done = l->word == OPA_SQL_PLAIN;
	}
	switch (l->word) {
	case OPA_SQL_SELECT:
		take_select(s, l);
		break;
	case OPA_SQL_INSERT:
	case OPA_SQL_UPDATE:
	case OPA_SQL_DELETE:
	case OPA_SQL_MERGE:
		take_change(s, l);
		break;
	default:
		if (is_first && !s->done) {
			take_first(s, l);
		} else {
			take_clause(s, l);
		}
	}
}

/* CREATE and the like: what stands between them and the kind of object is passed over. */
static void take_kind(opa_sql_summary *s, const opa_sql_lexer *l)
{
	bool is_kind = l->word == OPA_SQL_KIND || l->word == OPA_SQL_ROUTINE;
	if (!is_kind && l->word != OPA_SQL_TRANSACTION) {
		return;
	}
	bool is_first = s->operation_len == s->len;
	append_word(s, l);
	if (is_first) {
		s->operation_len = s->len;
	}
	s->expected = is_kind ? OPA_SQL_A_NAME : OPA_SQL_NOTHING;
	s->done = !is_kind;
	/* The statements in it end with semicolons, too. */
	s->has_body = l->word == OPA_SQL_ROUTINE;
}

/* Answers whether there is nothing more to the token. */
static bool take_expected(opa_sql_summary *s, const opa_sql_lexer *l, opa_sql_token token)
{
	switch (token) {
	case OPA_SQL_WORD:
		if (s->expected == OPA_SQL_A_KIND) {
			take_kind(s, l);
			return true;
		}
		if (is_passed_over(s, l->word)) {
			return true;
		}
		if (!may_be_a_name(l->word)) {
			s->expected = OPA_SQL_NOTHING;
			return false;
		}
		begin_target(s, l);
		return true;
	case OPA_SQL_NAME:
		if (s->expected != OPA_SQL_A_KIND) {
			begin_target(s, l);
		}
		return true;
	case OPA_SQL_OPEN:
		return false;
	default:
		s->expected = s->expected == OPA_SQL_A_KIND ? s->expected : OPA_SQL_NOTHING;
		return false;
	}
}

static void take_mark(opa_sql_summary *s, opa_sql_token token)
{
	switch (token) {
	case OPA_SQL_OPEN:
		go_in(s);
		break;
	case OPA_SQL_CLOSE:
		go_out(s);
		break;
	case OPA_SQL_COMMA:
		if ((s->tables & here(s)) != 0) {
			s->expected = (s->queries & here(s)) != 0 ? OPA_SQL_A_TABLE : OPA_SQL_A_NAME;
		}
		break;
	default:
		break;
	}
}

void opa_sql_summary_follow(
	opa_sql_summary *summary, const opa_sql_lexer *lexer, opa_sql_token token)
{
	opa_sql_summary *s = summary;
	if (s->target != NULL) {
		if (goes_on(s, lexer, token)) {
			s->target_end = lexer->at;
			return;
		}
		if (s->last == OPA_SQL_DOT) {
			s->target_end--; /* what follows is no name */
		}
		end_target(s);
	}
	if (s->all_done) {
		return;
	}
	if (token == OPA_SQL_SEMICOLON) {
		end_statement(s);
	} else if (!s->done && (s->expected == OPA_SQL_NOTHING || !take_expected(s, lexer, token))) {
		if (token == OPA_SQL_WORD && s->last != OPA_SQL_DOT) {
			take_word(s, lexer);
		} else {
			take_mark(s, token);
		}
	}
}
