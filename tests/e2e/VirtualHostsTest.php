<?php

declare(strict_types=1);

namespace Opa\Tests;

/** Many directories with settings of their own, served by one process. */
final class VirtualHostsTest extends ServerTestCase
{
	private const HOSTS = 1000;

	public function testEachOfAThousandDirectoriesHasItsOwnSettingsInOneWorker(): void
	{
		$pool = new Pool('one');
		$site = $this->site($pool);
		$site->start();
		[$worker] = $site->workers();
		$expected = $urls = [];
		for ($i = 0; $i < 2 * self::HOSTS; $i++) {
			$host = $i % self::HOSTS;
			$this->directory("$site->directory/pages/h$host", "host $host");
			$expected[$marker = self::marker()] = "host $host";
			$urls[] = $pool->url("h$host/page", "m=$marker");
		}

		(new Client(1))->run($urls, static function ($key, Answer $answer) use ($worker): void {
			self::assertTrue($answer->isComplete());
			self::assertSame($worker, $answer->pid());
			self::assertNotSame('', $answer->headers['x-trace'] ?? '', "request $key is traced");
		});

		$found = [];
		self::await(static function () use ($pool, $expected, &$found): bool {
			$rows = $pool->store()->rows("SELECT json_extract(s.attributes, '$.marker') AS marker, r.service
				FROM spans s JOIN resources r ON r.id = s.resource WHERE s.parent_id IS NULL");
			$found = array_column($rows, 'service', 'marker');
			return count($found) >= count($expected);
		}, 'all traces arrive', 30);
		ksort($expected);
		ksort($found);
		self::assertSame($expected, $found);
	}

	private function directory(string $path, string $service): void
	{
		if (is_dir($path)) {
			return;
		}
		mkdir($path, 0755);
		file_put_contents("$path/.user.ini", "opa.service_name = \"$service\"\n");
		file_put_contents("$path/page.php", "<?php require dirname(__DIR__) . '/common.php'; echo 'page';\n");
		foreach (['', '/.user.ini', '/page.php'] as $name) {
			chmod($path . $name, $name === '' ? 0755 : 0644);
		}
	}
}
