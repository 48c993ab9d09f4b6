<?php

declare(strict_types=1);

namespace Opa\Viewer;

final class SqlCommand implements Command
{
	/**
	 * The connection cannot write to the store, but SQLite would still write elsewhere: VACUUM INTO.
	 */
	private const ASKS = '~^(\s|;|--[^\n]*\n|/\*.*?\*/)*(SELECT|WITH|VALUES|EXPLAIN|PRAGMA)\b~is';

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

	public function run(Context $context, Options $options): int
	{
		$sql = $options->arguments[0] ?? throw new UsageError('which query? In quotes, as one argument');
		if ($options->has('json') && $options->has('csv')) {
			throw new UsageError('--json and --csv exclude each other');
		}
		if (preg_match(self::ASKS, $sql) !== 1) {
			throw new UsageError('opa sql only asks: SELECT, WITH, VALUES, EXPLAIN or PRAGMA');
		}
		if (self::statements($sql) > 1) {
			throw new UsageError('one statement at a time: something stands behind the ;');
		}
		$statement = $context->store()->query($sql);
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

	/** How many statements there are, by SQLite's rules for strings, names and comments. */
	private static function statements(string $sql): int
	{
		$quoted = "'[^']*+'|\"[^\"]*+\"|`[^`]*+`|\[[^\]]*+\]";
		$bare = (string) preg_replace("~($quoted)|/\\*.*?(?:\\*/|$)|--[^\n]*~s", '${1}', $sql);
		$bare = (string) preg_replace("~$quoted~s", 'x', $bare);
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
