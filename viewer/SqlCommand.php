<?php

declare(strict_types=1);

namespace Opa\Viewer;

final class SqlCommand implements Command
{
	private const QUOTED = "'[^']*+'|\"[^\"]*+\"|`[^`]*+`|\[[^\]]*+\]";
	private const ASKS = '~^[\s;]*(EXPLAIN\s+(QUERY\s+PLAN\s+)?)?(SELECT|WITH|VALUES)\b~i';

	/**
	 * The connection cannot write to the store, but SQLite would still write elsewhere (VACUUM INTO), or
	 * beside it (PRAGMA wal_checkpoint), or fail at what it should not have tried (PRAGMA journal_mode =
	 * DELETE). So of PRAGMA only what tells something is let through.
	 */
	private const PRAGMA = '~^[\s;]*PRAGMA\s+(?:\w+\s*\.\s*)?(\w+)\s*(\([^()]*\))?[\s;]*$~i';
	private const TELL = ['application_id', 'collation_list', 'compile_options', 'data_version', 'database_list',
		'encoding', 'freelist_count', 'function_list', 'journal_mode', 'page_count', 'page_size',
		'pragma_list', 'schema_version', 'user_version'];
	private const TELL_OF_SOMETHING = ['foreign_key_list', 'index_info', 'index_list', 'index_xinfo',
		'integrity_check', 'quick_check', 'table_info', 'table_list', 'table_xinfo'];

	public static function spec(): Spec
	{
		return new Spec('sql', 'QUERY', 'asks the store in SQL, read only (the schema is in docs/store.md)', [
			new Option('json', '', 'one JSON object a line'),
			new Option('csv', '', 'as CSV with a header'),
		], [
			"opa sql 'SELECT name, count(*) FROM spans GROUP BY 1 ORDER BY 2 DESC LIMIT 10'"
				=> 'the most frequent spans',
			"opa sql \"SELECT attributes->>'db.query.text' q, max(duration_ns)/1e6 ms FROM spans GROUP BY 1\""
				=> 'the slowest run of each query',
			"opa sql --csv 'SELECT * FROM traces' > traces.csv" => 'for a spreadsheet',
		], 1);
	}

	private readonly string $sql;

	public function __construct(private readonly Options $options, Clock $clock)
	{
		$this->sql = $sql = $options->arguments[0] ?? throw new UsageError('which query? In quotes, as one argument');
		if ($options->has('json') && $options->has('csv')) {
			throw new UsageError('--json and --csv exclude each other');
		}
		if (!self::asks($sql)) {
			throw new UsageError('opa sql only asks: SELECT, WITH, VALUES, EXPLAIN, or a PRAGMA that tells something ('
				. 'table_info, index_list, integrity_check ...)');
		}
		if (self::statements($sql) > 1) {
			throw new UsageError('one statement at a time: something stands behind the ;');
		}
	}

	public function run(Context $context): int
	{
		$options = $this->options;
		$statement = $context->store()->query($this->sql);
		$heads = [];
		for ($i = 0; $i < $statement->columnCount(); $i++) {
			$heads[] = (string) ($statement->getColumnMeta($i)['name'] ?? $i);
		}
		if ($options->has('json')) {
			return $this->printJson($context->out, $statement, self::distinct($heads));
		}
		if ($options->has('csv')) {
			return $this->printCsv($context->out, $statement, $heads);
		}
		return $context->out->terminal ? $this->printTable($context, $statement, $heads)
			: $this->printTabs($context->out, $statement, $heads);
	}

	private static function asks(string $sql): bool
	{
		$sql = self::withoutComments($sql);
		if (preg_match(self::PRAGMA, $sql, $m) !== 1) {
			return preg_match(self::ASKS, $sql) === 1;
		}
		$name = strtolower($m[1]);
		return in_array($name, self::TELL_OF_SOMETHING, true) || (!isset($m[2]) && in_array($name, self::TELL, true));
	}

	/** By SQLite's rules: a comment counts as a space, what is quoted is none. */
	private static function withoutComments(string $sql): string
	{
		$quoted = self::QUOTED;
		return (string) preg_replace_callback("~$quoted|/\\*.*?(?:\\*/|$)|--[^\n]*~s",
			static fn (array $m): string => in_array($m[0][0], ['/', '-'], true) ? ' ' : $m[0], $sql);
	}

	/** How many statements there are. */
	private static function statements(string $sql): int
	{
		$bare = (string) preg_replace('~' . self::QUOTED . '~s', 'x', self::withoutComments($sql));
		return count(array_filter(explode(';', $bare), static fn (string $s): bool => trim($s) !== ''));
	}

	/**
	 * Names of which none is there twice: name, name_2.
	 * @param list<string> $heads
	 * @return list<string>
	 */
	private static function distinct(array $heads): array
	{
		$names = [];
		foreach ($heads as $head) {
			$name = $head;
			for ($i = 2; in_array($name, $names, true) || ($i > 2 && in_array($name, $heads, true)); $i++) {
				$name = "{$head}_$i";
			}
			$names[] = $name;
		}
		return $names;
	}

	/**
	 * Values with tabs between them; a tab or a line break in one is an escape.
	 * @param list<string> $heads
	 */
	private function printTabs(Output $out, \PDOStatement $statement, array $heads): int
	{
		$out->write(implode("\t", array_map(Text::safe(...), $heads)) . "\n");
		while ($row = $statement->fetch(\PDO::FETCH_NUM)) {
			$out->write(implode("\t", array_map(self::cell(...), $row)) . "\n");
		}
		return 0;
	}

	private static function cell(mixed $value): string
	{
		return $value === null ? 'NULL'
			: Text::safe(is_float($value) ? Json::text($value) : (string) $value);
	}

	/** @param list<string> $heads */
	private function printJson(Output $out, \PDOStatement $statement, array $heads): int
	{
		while ($row = $statement->fetch(\PDO::FETCH_NUM)) {
			$out->json((object) array_combine($heads, $row));
		}
		return 0;
	}

	/**
	 * Byte for byte what is in the store, unless it goes to a terminal.
	 * @param list<string> $heads
	 */
	private function printCsv(Output $out, \PDOStatement $statement, array $heads): int
	{
		$line = static function (array $cells) use ($out): void {
			$cells = array_map(static function (mixed $cell) use ($out): string {
				$text = $out->terminal ? Text::safe((string) $cell) : (string) $cell;
				return strpbrk($text, ",\"\r\n") === false ? $text
					: '"' . str_replace('"', '""', $text) . '"';
			}, $cells);
			$out->write(implode(',', $cells) . "\r\n");
		};
		$line($heads);
		while ($row = $statement->fetch(\PDO::FETCH_NUM)) {
			$line($row);
		}
		return 0;
	}

	/** @param list<string> $heads */
	private function printTable(Context $context, \PDOStatement $statement, array $heads): int
	{
		$right = array_fill(0, count($heads), true);
		$rows = [];
		while ($row = $statement->fetch(\PDO::FETCH_NUM)) {
			$cells = [];
			foreach ($row as $i => $value) {
				$right[$i] = $right[$i] && !is_string($value);
				$cells[] = [self::cell($value), $value === null ? 'dim' : ''];
			}
			$rows[] = $cells;
		}
		if ($rows === []) {
			$context->note('no rows');
			return 0;
		}
		(new Table($context->out, array_map(Text::safe(...), $heads), $right))
			->print($rows, $context->out->columns);
		return 0;
	}
}
