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
		$statement = $context->store()->query($sql);
		$heads = [];
		for ($i = 0; $i < $statement->columnCount(); $i++) {
			$heads[] = (string) ($statement->getColumnMeta($i)['name'] ?? $i);
		}
		if ($options->has('json')) {
			return $this->printJson($context->out, $statement, $heads);
		}
		if ($options->has('csv')) {
			return $this->printCsv($context->out, $statement, $heads);
		}
		return $this->printTable($context, $statement, $heads);
	}

	/** @param list<string> $heads */
	private function printJson(Output $out, \PDOStatement $statement, array $heads): int
	{
		$count = 0;
		while ($row = $statement->fetch(\PDO::FETCH_NUM)) {
			$out->line(Json::encode((object) array_combine($heads, $row)));
			$count++;
		}
		return $count > 0 ? 0 : 1;
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
		$count = 0;
		while ($row = $statement->fetch(\PDO::FETCH_NUM)) {
			$line($row);
			$count++;
		}
		return $count > 0 ? 0 : 1;
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
				$cells[] = $value === null ? ['NULL', 'dim'] : [Text::safe(is_float($value)
					? Json::text($value) : (string) $value), ''];
			}
			$rows[] = $cells;
		}
		if ($rows === []) {
			$context->note('no rows');
			return 1;
		}
		(new Table($context->out, array_map(Text::safe(...), $heads), $right))
			->print($rows, $context->out->terminal ? $context->out->columns : 0);
		return 0;
	}
}
