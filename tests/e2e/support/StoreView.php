<?php

declare(strict_types=1);

namespace Opa\Tests;

/** A store as the tests look at it: by the marker that each page puts on its root span. */
final class StoreView
{
	private ?\PDO $db = null;

	public function __construct(public readonly string $path)
	{
	}

	/** @return list<array<string, mixed>> */
	public function rows(string $sql, array $values = []): array
	{
		if ($this->db === null) {
			if (!is_file($this->path)) {
				return [];
			}
			$this->db = new \PDO("sqlite:$this->path", null, null, [
				\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION,
				\PDO::ATTR_TIMEOUT => 10,
				\PDO::SQLITE_ATTR_OPEN_FLAGS => \PDO::SQLITE_OPEN_READONLY,
			]);
		}
		try {
			$statement = $this->db->prepare($sql);
			$statement->execute($values);
			return $statement->fetchAll(\PDO::FETCH_ASSOC);
		} catch (\PDOException $e) {
			// The file is there, its tables are not yet.
			$this->db = null;
			if (str_contains($e->getMessage(), 'no such table')) {
				return [];
			}
			throw $e;
		}
	}

	public function value(string $sql, array $values = []): mixed
	{
		$rows = $this->rows($sql, $values);
		return $rows === [] ? null : reset($rows[0]);
	}

	/** The one trace with this marker; null when it is not there (yet). */
	public function trace(string $marker): ?Trace
	{
		$roots = $this->rows("SELECT s.*, t.complete, r.attributes AS resource_attributes FROM spans s
			JOIN traces t USING (trace_id) JOIN resources r ON r.id = s.resource
			WHERE json_extract(s.attributes, '$.marker') = ?", [$marker]);
		if ($roots === [] || !$roots[0]['complete']) {
			return null;
		}
		return new Trace($roots, $this->rows('SELECT * FROM spans WHERE trace_id = ? ORDER BY start_ns',
			[$roots[0]['trace_id']]));
	}

	/**
	 * How often each marker is there, and what its traces hold.
	 * @return array<string, list<array{spans: int, rows: int, complete: int, foreign: int}>>
	 */
	public function markers(): array
	{
		$found = [];
		$rows = $this->rows("SELECT json_extract(root.attributes, '$.marker') AS marker, t.spans, t.complete,
				count(*) AS rows,
				sum(json_extract(s.attributes, '$.m') <> json_extract(root.attributes, '$.marker')) AS wrong
			FROM spans root JOIN traces t USING (trace_id) JOIN spans s USING (trace_id)
			WHERE json_extract(root.attributes, '$.marker') IS NOT NULL
			GROUP BY root.trace_id, root.span_id");
		foreach ($rows as $row) {
			$found[(string) $row['marker']][] = ['spans' => (int) $row['spans'], 'rows' => (int) $row['rows'],
				'complete' => (int) $row['complete'], 'foreign' => (int) $row['wrong']];
		}
		return $found;
	}
}
