<?php

declare(strict_types=1);

namespace Opa\Tests;

/** The viewer in a PHP whose php.ini loads the extension, as every other script is traced there. */
final class ViewerUntracedTest extends ViewerTestCase
{
	/** @var array<string, string> */
	private array $env;

	protected function setUp(): void
	{
		parent::setUp();
		$modules = Site::builtModules();
		if (!is_file("$modules/opa.so")) {
			$this->markTestSkipped("no opa.so in $modules: ./dev build, or OPA_MODULES");
		}
		mkdir("$this->directory/conf.d");
		$lines = [];
		foreach (['pdo', 'pdo_sqlite'] as $name) {
			$file = PHP_EXTENSION_DIR . "/$name.so";
			$lines[] = is_file($file) ? "extension=$file" : '';
		}
		$lines = [...$lines, "extension=$modules/opa.so", "opa.spool_dir=$this->directory/spool",
			'opa.exporter_path=/nonexistent/opa-exporter', 'opa.enabled=1', 'opa.trace_cli=1'];
		file_put_contents("$this->directory/conf.d/opa.ini", implode("\n", $lines) . "\n");
		$this->env = ['PHP_INI_SCAN_DIR' => "$this->directory/conf.d", 'OPA_PHP' => PHP_BINARY,
			'XDG_STATE_HOME' => "$this->directory/state", 'XDG_RUNTIME_DIR' => "$this->directory/run",
			'COLUMNS' => '120'];
	}

	/** @return list<string> */
	private function journals(): array
	{
		return array_map(basename(...), glob("$this->directory/spool/{live,sealed,tmp}/*", GLOB_BRACE));
	}

	public function testAnotherScriptIsTraced(): void
	{
		file_put_contents("$this->directory/script.php", '<?php echo "ran";');
		$result = self::execute([PHP_BINARY, "$this->directory/script.php"], $this->env);
		$this->assertSame([0, 'ran', ''], [$result->code, $result->out, $result->err]);
		$this->assertCount(1, $this->journals());
	}

	/** @dataProvider runs */
	public function testTheViewerIsNot(array $arguments, array $env): void
	{
		$path = $this->fixtureStore();
		$before = (new StoreView($path))->rows('SELECT trace_id, span_id FROM spans ORDER BY 1, 2');
		$result = self::opa([...$arguments, '--store', $path], $env + $this->env);
		$this->assertSame([], $this->journals());
		$this->assertFileDoesNotExist("$this->directory/spool");
		$this->assertSame([0, ''], [$result->code, $result->err]);
		$this->assertNotSame('', $result->out);
		$this->assertSame($before, (new StoreView($path))->rows('SELECT trace_id, span_id FROM spans ORDER BY 1, 2'));
	}

	public static function runs(): array
	{
		return [
			'list' => [['list'], []],
			'show' => [['show', 'last'], []],
			'stats' => [['stats', '-n', '99'], []],
			'status' => [['status'], []],
			'sql' => [['sql', 'SELECT 1'], []],
			'a variable that says otherwise' => [['list'], ['OTEL_SDK_DISABLED' => 'false']],
		];
	}
}
