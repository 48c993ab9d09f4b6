/* Made of opa_sql_lexer.re by ./dev lexer; it is that file which is to be changed. */
#include "opa_sql_lexer.h"

#include <string.h>

static size_t left(const opa_sql_lexer *l)
{
	return (size_t)(l->end - l->at);
}

static bool has(const char *from, const char *to, const char *bytes)
{
	for (; *bytes != '\0'; bytes++) {
		if (memchr(from, *bytes, (size_t)(to - from)) != NULL) {
			return true;
		}
	}
	return false;
}

/* Where the two bytes stand, or NULL. */
static const char *find_pair(const char *from, const char *to, char first, char second)
{
	while (from < to && (from = memchr(from, first, (size_t)(to - from))) != NULL) {
		if (from + 1 < to && from[1] == second) {
			return from;
		}
		from++;
	}
	return NULL;
}

static opa_sql_token doubt(opa_sql_lexer *l)
{
	l->at = l->end;
	return OPA_SQL_DOUBT;
}

static opa_sql_token open_end(opa_sql_lexer *l)
{
	l->open = true;
	return doubt(l);
}

/* ---- literals and quoted names ---- */

static bool is_escaped(const char *from, const char *quote)
{
	const char *p = quote;
	while (p > from && p[-1] == '\\') {
		p--;
	}
	return (quote - p) % 2 != 0;
}

/*
 * Goes behind the quote that ends what began before `at`; doubled it does not. `doubtful`: where to
 * note that it matters whether backslashes are escapes; NULL where that is known.
 */
static opa_sql_token quoted(
	opa_sql_lexer *l, char quote, bool escapes, bool *doubtful, opa_sql_token token)
{
	const char *from = l->at;
	while ((l->at = memchr(l->at, quote, left(l))) != NULL) {
		l->at++;
		if ((escapes || doubtful != NULL) && is_escaped(from, l->at - 1)) {
			if (doubtful != NULL) {
				*doubtful = true;
			}
			if (escapes) {
				continue;
			}
		}
		if (l->at == l->end || *l->at != quote) {
			return token;
		}
		l->at++;
	}
	return open_end(l);
}

static opa_sql_token single_quoted(opa_sql_lexer *l)
{
	if (l->dialect == OPA_SQL_SQLITE) {
		return quoted(l, '\'', false, NULL, OPA_SQL_VALUE);
	}
	return quoted(l, '\'', l->reading.single, &l->doubtful_single, OPA_SQL_VALUE);
}

/* PostgreSQL's E'...', and each '...' that goes on with it. */
static opa_sql_token extended_quoted(opa_sql_lexer *l)
{
	return quoted(l, '\'', true, NULL, OPA_SQL_EXTENDED);
}

static opa_sql_token double_quoted(opa_sql_lexer *l)
{
	if (l->dialect == OPA_SQL_POSTGRESQL || l->dialect == OPA_SQL_SQLITE) {
		return quoted(l, '"', false, NULL, OPA_SQL_NAME);
	}
	return quoted(l, '"', l->reading.twofold, &l->doubtful_twofold, OPA_SQL_VALUE);
}

static opa_sql_token backticked(opa_sql_lexer *l)
{
	const char *from = l->at;
	if (l->dialect == OPA_SQL_POSTGRESQL) {
		return OPA_SQL_OPERATOR;
	}
	opa_sql_token token = quoted(l, '`', false, NULL, OPA_SQL_NAME);
	/* Some servers know backslashes here, most know no such names. */
	if (l->dialect == OPA_SQL_OTHER && has(from, l->at, "'\"\\")) {
		return doubt(l);
	}
	return token;
}

/* A name of SQLite and of SQL Server; an index or an array elsewhere. */
static opa_sql_token bracketed(opa_sql_lexer *l)
{
	if (l->dialect == OPA_SQL_MYSQL || l->dialect == OPA_SQL_POSTGRESQL) {
		return OPA_SQL_OPEN;
	}
	const char *from = l->at;
	const char *end = memchr(from, ']', left(l));
	if (end == NULL) {
		return open_end(l);
	}
	if (l->dialect == OPA_SQL_OTHER) {
		bool doubled = end + 1 < l->end && end[1] == ']';
		if (doubled || has(from, end, "'\"`\\#$[") || find_pair(from, end, '-', '-') != NULL ||
			find_pair(from, end, '/', '*') != NULL) {
			return doubt(l);
		}
		if (has(from, end, "0123456789,(:") || from == end) {
			return OPA_SQL_OPEN;
		}
	}
	l->at = end + 1;
	return OPA_SQL_NAME;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_digits(const char *from, const char *to)
{
	while (from < to && is_digit(*from)) {
		from++;
	}
	return from == to;
}

/* More digits than the number of a parameter has may be anything. */
static opa_sql_token numbered(const opa_sql_lexer *l)
{
	return l->at - l->start <= 6 ? OPA_SQL_PARAMETER : OPA_SQL_VALUE;
}

/* $tag$...$tag$, with `at` behind the first tag. Tags have no dollar in them: it is linear. */
static opa_sql_token dollar_quoted(opa_sql_lexer *l)
{
	size_t tag = (size_t)(l->at - l->start);
	while (left(l) >= tag && (l->at = memchr(l->at, '$', left(l))) != NULL) {
		if (left(l) >= tag && memcmp(l->at, l->start, tag) == 0) {
			l->at += tag;
			return OPA_SQL_VALUE;
		}
		l->at++;
	}
	return open_end(l);
}

/* A dollar and what goes on as names do, with the next dollar. */
static opa_sql_token dollar(opa_sql_lexer *l)
{
	const char *from = l->start + 1;
	bool is_tag = l->at > from && l->at[-1] == '$';
	if (l->at > from && is_digit(*from)) {
		l->at -= is_tag;
		return is_digits(from, l->at) ? numbered(l) : OPA_SQL_VALUE;
	}
	if (!is_tag || l->dialect == OPA_SQL_MYSQL || l->dialect == OPA_SQL_SQLITE) {
		return OPA_SQL_PARAMETER;
	}
	return l->dialect == OPA_SQL_OTHER ? doubt(l) : dollar_quoted(l);
}

/* ---- comments ---- */

static opa_sql_token line_comment(opa_sql_lexer *l)
{
	const char *from = l->at;
	const char *end = memchr(from, '\n', left(l));
	end = end == NULL ? l->end : end;
	const char *carriage = memchr(from, '\r', (size_t)(end - from));
	l->at = end;
	if (carriage != NULL && l->dialect == OPA_SQL_POSTGRESQL) {
		l->at = carriage;
	} else if (carriage != NULL && carriage + 1 < end && l->dialect == OPA_SQL_OTHER) {
		return doubt(l);
	}
	return OPA_SQL_COMMENT;
}

/* What is a comment for some servers: the same for all of them if nothing begins in it. */
static opa_sql_token line_comment_for_some(opa_sql_lexer *l)
{
	const char *from = l->at;
	opa_sql_token token = line_comment(l);
	return has(from, l->at, "'\"`[$/\\") ? doubt(l) : token;
}

static opa_sql_token dashes(opa_sql_lexer *l)
{
	bool spaced = left(l) == 0 || (unsigned char)*l->at <= ' ';
	if (l->dialect == OPA_SQL_MYSQL && !spaced) {
		return OPA_SQL_OPERATOR;
	}
	return l->dialect == OPA_SQL_OTHER && !spaced ? line_comment_for_some(l) : line_comment(l);
}

static opa_sql_token hash(opa_sql_lexer *l)
{
	switch (l->dialect) {
	case OPA_SQL_MYSQL:
		return line_comment(l);
	case OPA_SQL_OTHER:
		return line_comment_for_some(l);
	default:
		return OPA_SQL_OPERATOR;
	}
}

/* SQLite takes a comment that does not end. */
static opa_sql_token open_comment(opa_sql_lexer *l)
{
	l->open = l->dialect == OPA_SQL_MYSQL || l->dialect == OPA_SQL_POSTGRESQL;
	l->at = l->end;
	return OPA_SQL_COMMENT;
}

static opa_sql_token nested_comment(opa_sql_lexer *l)
{
	for (size_t depth = 1; left(l) >= 2; l->at++) {
		if (l->at[0] == '*' && l->at[1] == '/') {
			l->at++;
			if (--depth == 0) {
				l->at++;
				return OPA_SQL_COMMENT;
			}
		} else if (l->at[0] == '/' && l->at[1] == '*') {
			l->at++;
			depth++;
		}
	}
	return open_comment(l);
}

/*
 * In MySQL the contents of such comments may be carried out, depending on the server's version; then
 * there are literals and comments in them.
 */
static opa_sql_token block_comment(opa_sql_lexer *l)
{
	if (l->dialect == OPA_SQL_POSTGRESQL) {
		return nested_comment(l);
	}
	const char *from = l->at;
	const char *end = find_pair(from, l->end, '*', '/');
	if (end == NULL) {
		return open_comment(l);
	}
	l->at = end + 2;
	bool nests = find_pair(from, end, '/', '*') != NULL;
	bool runs = *from == '!' || (*from == 'M' && from[1] == '!');
	if (nests && (l->dialect == OPA_SQL_OTHER || runs)) {
		return doubt(l);
	}
	if (runs && l->dialect != OPA_SQL_SQLITE &&
		(has(from, end, "'\"`#\\") || find_pair(from, end, '-', '-') != NULL)) {
		return doubt(l);
	}
	return OPA_SQL_COMMENT;
}

/* ---- the rest ---- */

/* Whether a sign belongs to the number behind it: after a value or a name it is an operator. */
static bool expects_operand(const opa_sql_lexer *l)
{
	switch (l->token) {
	case OPA_SQL_WORD:
		return l->word != OPA_SQL_PLAIN && l->word != OPA_SQL_KIND && l->word != OPA_SQL_ROUTINE;
	case OPA_SQL_NAME:
	case OPA_SQL_VALUE:
	case OPA_SQL_EXTENDED:
	case OPA_SQL_PARAMETER:
	case OPA_SQL_CLOSE:
	case OPA_SQL_DOT:
		return false;
	default:
		return true;
	}
}

static opa_sql_token broken(opa_sql_lexer *l)
{
	l->broken = true;
	return doubt(l);
}

static opa_sql_token backslash(opa_sql_lexer *l)
{
	/* MySQL's \N is NULL. */
	bool is_known = l->dialect == OPA_SQL_MYSQL || l->dialect == OPA_SQL_OTHER;
	if (is_known && left(l) > 0 && *l->at == 'N') {
		l->at++;
		return OPA_SQL_VALUE;
	}
	return broken(l);
}

/* SQLite's ?1; elsewhere the number is a number. */
static opa_sql_token question(opa_sql_lexer *l)
{
	if (l->dialect != OPA_SQL_SQLITE) {
		l->at = l->start + 1;
	}
	return numbered(l);
}

/* TRUE and FALSE are values, but after IS. */
static opa_sql_token boolean(opa_sql_lexer *l)
{
	if (l->token == OPA_SQL_DOT || l->word == OPA_SQL_IS || l->word == OPA_SQL_NOT) {
		l->word = OPA_SQL_PLAIN;
		return OPA_SQL_WORD;
	}
	return OPA_SQL_VALUE;
}

static opa_sql_token take(opa_sql_lexer *l, const char *at, opa_sql_token token)
{
	l->at = at;
	return token;
}

static opa_sql_token word(opa_sql_lexer *l, const char *at, opa_sql_word meaning)
{
	l->at = at;
	l->word = meaning;
	return OPA_SQL_WORD;
}

/*
 * Reads a token that begins before the end. At the end of the text a zero byte is seen that is not
 * there, which ends whatever is read: no token goes on with one.
 */
static opa_sql_token scan(opa_sql_lexer *l)
{
	const char *at = l->at, *end = l->end, *marker;

	/*!re2c
	re2c:api                 = custom;
	re2c:api:style           = free-form;
	re2c:define:YYCTYPE      = "unsigned char";
	re2c:define:YYPEEK       = "(at < end ? (unsigned char)*at : 0)";
	re2c:define:YYSKIP       = "++at;";
	re2c:define:YYBACKUP     = "marker = at;";
	re2c:define:YYRESTORE    = "at = marker;";
	re2c:yyfill:enable       = 0;
	re2c:flags:case-ranges   = 0;
	re2c:indent:string       = "\t";
	re2c:indent:top          = 1;

	first  = [a-zA-Z_\x80-\xff];
	more   = [a-zA-Z0-9_$\x80-\xff];
	digits = [0-9][0-9_]*;
	number = (digits ("." [0-9_]*)? | "." digits) ([eE] [+\-]? [0-9]+)? more*;

	[ \t\n\v\f\r]+ { return take(l, at, OPA_SQL_SPACE); }
	number         { return take(l, at, OPA_SQL_VALUE); }

	[+\-] number {
		return expects_operand(l) ? take(l, at, OPA_SQL_VALUE)
								  : take(l, l->start + 1, OPA_SQL_OPERATOR);
	}

	"'" {
		l->at = at;
		return l->token == OPA_SQL_EXTENDED ? extended_quoted(l) : single_quoted(l);
	}
	'e' "'" {
		l->at = at;
		return l->dialect == OPA_SQL_POSTGRESQL ? extended_quoted(l) : single_quoted(l);
	}
	('n' | 'x' | 'b' | 'u&' | "_" [a-zA-Z0-9]+) "'" { l->at = at; return single_quoted(l); }
	('q' | 'nq') "'" {
		/* Oracle's, with quotes of its own. */
		l->at = at;
		return l->dialect == OPA_SQL_OTHER ? doubt(l) : single_quoted(l);
	}
	"\""       { l->at = at; return double_quoted(l); }
	"`"        { l->at = at; return backticked(l); }
	"["        { l->at = at; return bracketed(l); }
	"$" [a-zA-Z0-9_\x80-\xff]* "$"? { l->at = at; return dollar(l); }
	"?" [0-9]* { l->at = at; return question(l); }

	":" first more*                        { return take(l, at, OPA_SQL_PARAMETER); }
	"@" "@"? first [a-zA-Z0-9_$.\x80-\xff]* { return take(l, at, OPA_SQL_PARAMETER); }
	"::"                                   { return take(l, at, OPA_SQL_OPERATOR); }

	"--" { l->at = at; return dashes(l); }
	"#"  { l->at = at; return hash(l); }
	"/*" { l->at = at; return block_comment(l); }

	"("      { return take(l, at, OPA_SQL_OPEN); }
	[)\]]    { return take(l, at, OPA_SQL_CLOSE); }
	","      { return take(l, at, OPA_SQL_COMMA); }
	"."      { return take(l, at, OPA_SQL_DOT); }
	";"      { return take(l, at, OPA_SQL_SEMICOLON); }
	"\\"     { l->at = at; return backslash(l); }
	/* For some servers the text ends there. */
	"\x00"                   { return doubt(l); }
	[\x01-\x08\x0e-\x1f\x7f] { return broken(l); }
	*        { return take(l, at, OPA_SQL_OPERATOR); }

	'true' | 'false' { l->at = at; return boolean(l); }

	'select'              { return word(l, at, OPA_SQL_SELECT); }
	'insert' | 'replace'  { return word(l, at, OPA_SQL_INSERT); }
	'update'              { return word(l, at, OPA_SQL_UPDATE); }
	'delete'              { return word(l, at, OPA_SQL_DELETE); }
	'merge'               { return word(l, at, OPA_SQL_MERGE); }
	'drop'                { return word(l, at, OPA_SQL_DROP); }
	'truncate'            { return word(l, at, OPA_SQL_TRUNCATE); }
	'create' | 'alter' | 'start' | 'lock' | 'rename' | 'refresh' { return word(l, at, OPA_SQL_DEFINE); }
	'call' | 'exec' | 'execute' | 'use' | 'pragma' | 'describe' | 'desc' | 'analyze' | 'optimize'
		| 'copy' { return word(l, at, OPA_SQL_NAMED); }
	'begin' | 'explain' | 'declare' | 'prepare' { return word(l, at, OPA_SQL_LEAD); }
	'commit' | 'rollback' | 'savepoint' | 'release' | 'end' | 'abort' | 'show' | 'grant' | 'revoke'
		| 'unlock' | 'load' | 'do' | 'kill' | 'flush' | 'reset' | 'discard' | 'listen' | 'unlisten'
		| 'notify' | 'deallocate' | 'fetch' | 'close' | 'attach' | 'detach' | 'comment'
		| 'checkpoint' | 'vacuum' | 'reindex' | 'xa' { return word(l, at, OPA_SQL_LONE); }
	'set'                 { return word(l, at, OPA_SQL_SET); }

	'table' | 'tables' | 'view' | 'index' | 'database' | 'schema' | 'sequence' | 'user' | 'role'
		| 'type' | 'domain' | 'extension' { return word(l, at, OPA_SQL_KIND); }
	'procedure' | 'function' | 'trigger' | 'event' | 'package' { return word(l, at, OPA_SQL_ROUTINE); }
	'transaction'         { return word(l, at, OPA_SQL_TRANSACTION); }

	'with'                { return word(l, at, OPA_SQL_WITH); }
	'from'                { return word(l, at, OPA_SQL_FROM); }
	'join' | 'straight_join' { return word(l, at, OPA_SQL_JOIN); }
	'into'                { return word(l, at, OPA_SQL_INTO); }
	'using'               { return word(l, at, OPA_SQL_USING); }
	'where' | 'group' | 'order' | 'having' | 'limit' | 'offset' | 'window' | 'returning' | 'for'
		| 'qualify'       { return word(l, at, OPA_SQL_CLAUSE); }
	'union' | 'intersect' | 'except' | 'minus' { return word(l, at, OPA_SQL_UNION); }
	'all' | 'distinct'    { return word(l, at, OPA_SQL_ALL); }
	'values'              { return word(l, at, OPA_SQL_VALUES); }
	'in'                  { return word(l, at, OPA_SQL_IN); }
	'is'                  { return word(l, at, OPA_SQL_IS); }
	'not'                 { return word(l, at, OPA_SQL_NOT); }
	'or'                  { return word(l, at, OPA_SQL_OR); }
	'on'                  { return word(l, at, OPA_SQL_ON); }
	'and' | 'xor' | 'when' | 'case' | 'by' | 'as' { return word(l, at, OPA_SQL_LOGIC); }
	'like' | 'ilike' | 'rlike' | 'regexp' | 'glob' | 'match' | 'escape' | 'between' | 'then' | 'else'
		| 'default' | 'return' | 'interval' | 'div' | 'mod' { return word(l, at, OPA_SQL_COMPARE); }
	'outfile' | 'dumpfile' { return word(l, at, OPA_SQL_FILE); }
	'if' | 'exists' | 'only' | 'lateral' | 'ignore' | 'low_priority' | 'high_priority' | 'delayed'
		| 'quick' | 'concurrently' | 'immediate' | 'temporary' | 'temp' { return word(l, at, OPA_SQL_MODIFIER); }

	first more* { return word(l, at, OPA_SQL_PLAIN); }
	*/
}

void opa_sql_lexer_init(opa_sql_lexer *lexer, opa_str sql, opa_sql_dialect dialect)
{
	memset(lexer, 0, sizeof(*lexer));
	lexer->at = lexer->start = sql.len == 0 ? "" : sql.data;
	lexer->end = lexer->at + sql.len;
	lexer->dialect = dialect;
	lexer->token = OPA_SQL_SEMICOLON;
	lexer->reading = (opa_sql_reading){dialect == OPA_SQL_MYSQL, dialect == OPA_SQL_MYSQL};
}

opa_sql_token opa_sql_lexer_next(opa_sql_lexer *lexer)
{
	lexer->start = lexer->at;
	if (lexer->at == lexer->end) {
		return OPA_SQL_END;
	}
	opa_sql_token token = scan(lexer);
	if (token == OPA_SQL_SPACE || token == OPA_SQL_COMMENT) {
		return token;
	}
	lexer->token = token;
	if (token != OPA_SQL_WORD) {
		lexer->word = OPA_SQL_PLAIN;
	}
	return token == OPA_SQL_EXTENDED ? OPA_SQL_VALUE : token;
}
