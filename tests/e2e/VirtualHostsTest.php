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
		$pool->env = ['OTEL_SPAN_EVENT_COUNT_LIMIT' => 'many'];
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
		self::assertSame(1, substr_count($site->phpLog(), 'OTEL_SPAN_EVENT_COUNT_LIMIT is ignored'));
	}

	public function testAValueThatADirectoryGivesInVainIsNotGiven(): void
	{
		$pool = new Pool('one');
		$pool->env = ['OTEL_TRACES_SAMPLER' => 'traceidratio', 'OTEL_TRACES_SAMPLER_ARG' => '1.0'];
		$site = $this->site($pool);
		$site->start();
		foreach (['bad' => '7', 'good' => '1.00', 'bad again' => '7'] as $name => $rate) {
			$name = strtok($name, ' ');
			$this->directory("$site->directory/pages/$name", $name, "opa.sample_rate = $rate\n", 'status');
			$answer = Client::get($pool->url("$name/page", 'm=' . self::marker()));
			$settings = json_decode($answer->body, true, 512, JSON_THROW_ON_ERROR)['settings'];
			self::assertSame(['value' => $name, 'source' => 'ini'], $settings['opa.service_name']);
			self::assertSame($name === 'good' ? ['value' => '1.00', 'source' => 'ini']
				: ['value' => '1.0', 'source' => 'OTEL_TRACES_SAMPLER'], $settings['opa.sample_rate']);
		}
		self::assertSame(2, substr_count($site->phpLog(), 'opa.sample_rate must be a number from 0 to 1'));
	}

	private function directory(string $path, string $service, string $more = '', string $page = 'empty'): void
	{
		if (is_dir($path)) {
			return;
		}
		mkdir($path, 0755);
		file_put_contents("$path/.user.ini", "opa.service_name = \"$service\"\n$more");
		file_put_contents("$path/page.php", "<?php require dirname(__DIR__) . '/$page.php';\n");
		foreach (['', '/.user.ini', '/page.php'] as $name) {
			chmod($path . $name, $name === '' ? 0755 : 0644);
		}
	}
}
