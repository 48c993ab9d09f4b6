--TEST--
phpinfo() has state, every setting with its value and where it came from, and every counter; secrets are masked
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/phpinfo.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$program = <<<'PHP'
<?php
opa_end_span(opa_start_span('s'));
opa_flush(0);
phpinfo(INFO_MODULES);
echo "\nEND ", json_encode(['ini' => ini_get_all('opa', false), 'counters' => opa_status()['counters']]);
PHP;

/** The rows of each of opa's tables, and what the program itself knows. */
function parse(string $out): array
{
	[$info, $known] = explode("\nEND ", $out);
	if (str_contains($info, '<table>')) {
		// As a web page: the same, in HTML.
		$info = substr($info, strpos($info, 'module_opa"'));
		preg_match_all('~<table>(.*?)</table>~s', strstr($info, '<h2', true), $tables);
		foreach ($tables[1] as $table) {
			preg_match_all('~<tr.*?</tr>~s', $table, $rows);
			$parsed[] = array_map(static function (string $row): array {
				preg_match_all('~<t[hd][^>]*>(.*?)</t[hd]>~s', $row, $cells);
				return array_map(static fn (string $cell): string => html_entity_decode(trim($cell)), $cells[1]);
			}, $rows[0]);
		}
	} else {
		$blocks = explode("\n\n", $info);
		$from = array_search('opa', $blocks, true) + 1;
		for ($i = $from; str_contains($blocks[$i], ' => '); $i++) {
			$parsed[] = array_map(static fn (string $line): array => explode(' => ', $line), explode("\n", $blocks[$i]));
		}
	}
	return [$parsed, json_decode($known, true)];
}

/** @param array<string, array{string, string}> $changed the settings that are not at their defaults */
function check(string $out, array $changed): void
{
	[$tables, $known] = parse($out);
	show('tables', count($tables));
	foreach ($tables[0] as $row) {
		echo implode(' | ', preg_replace('~^/\S*spool\S*$~', 'SPOOL', $row)), "\n";
	}

	show('', array_shift($tables[1]));
	$expected = array_map(static fn (string $value): array => [$value === '' ? '-' : $value, 'default'], $known['ini']);
	$found = [];
	foreach ($tables[1] as [$name, $value, $source]) {
		$found[$name] = [$value, $source];
	}
	ksort($found);
	$expected = $changed + $expected;
	ksort($expected);
	show('every setting', $found === $expected, count($found) === count($tables[1]));
	foreach (array_keys(array_diff_key($found, $expected) + array_diff_key($expected, $found)) as $name) {
		show('only on one side', $name);
	}
	foreach ($expected as $name => $value) {
		if (($found[$name] ?? null) !== $value) {
			show('not so', $name, $found[$name] ?? null, $value);
		}
	}

	show('', array_shift($tables[2]));
	$found = array_map('intval', array_column($tables[2], 1, 0));
	show('every counter', $found === $known['counters'], count($found) === count($tables[2]));
	show('kept', $found['spans_kept']);
	show('each says what it counts', min(array_map('strlen', array_column($tables[2], 2))) > 5);
}

$common = ['opa.exporter_path' => ['/nonexistent/opa-exporter', 'ini']];
echo "From php.ini\n";
$run = opa_test_run($program, ['ini' => ['opa.resource_attributes' => '"team=a,api_token=topsecret,password=hunter&2,c=d"',
	'opa.max_links' => '3', 'opa.service_name' => '"<b>shop</b>"']]);
check($run['out'], $common + [
	'opa.spool_dir' => [$run['spool'], 'ini'],
	'opa.resource_attributes' => ['team=a,api_token=REDACTED,password=REDACTED,c=d', 'ini'],
	'opa.max_links' => ['3', 'ini'],
	'opa.service_name' => ['<b>shop</b>', 'ini'],
]);
show('secrets', str_contains(strstr($run['out'], "\nEND ", true), 'topsecret'), str_contains(strstr($run['out'], "\nEND ", true), 'hunter'));

echo "\nWhat the exporter has said\n";
$run = opa_test_run('<?php opa_end_span(opa_start_span("s")); opa_flush(0); file_put_contents(opa_status()["spool"]["path"] . "/state",
	"pid=1\nupdated=1700000000\nlast_success=1700000000\nlast_error=http://c: no connection\nlast_error_time=1700000060\n"); phpinfo(INFO_MODULES);');
preg_match_all('/^(Last (?:success|error) => .*)$/m', $run['out'], $m);
echo implode("\n", $m[1]), "\n";

echo "\nFrom variables, as a web page\n";
$server = new OpaTestServer($program, ['html_errors' => '1'], ['OTEL_SPAN_EVENT_COUNT_LIMIT' => '77', 'OTEL_SERVICE_NAME' => '<i>web</i>',
	'OTEL_RESOURCE_ATTRIBUTES' => 'team=b,db.password=topsecret']);
$answer = $server->send('/');
check(substr($answer, strpos($answer, "\r\n\r\n") + 4), $common + [
	'opa.spool_dir' => [$server->spool, 'ini'],
	'opa.resource_attributes' => ['team=b,db.password=REDACTED', 'OTEL_RESOURCE_ATTRIBUTES'],
	'opa.max_events' => ['77', 'OTEL_SPAN_EVENT_COUNT_LIMIT'],
	'opa.service_name' => ['<i>web</i>', 'OTEL_SERVICE_NAME'],
]);
show('secrets', str_contains($answer, 'topsecret'), 'tags', str_contains($answer, '<i>web'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
From php.ini
tables 3
opa | tracing
Version | %d.%d.%d
Problem | opa-exporter: there is no executable file at exporter_path: /nonexistent/opa-exporter (%s)
Spool | SPOOL
Spool size | %d
Spool size, at most | %d
Exporter | /nonexistent/opa-exporter
Exporter runs | no
Last success | -
Last error | -
Traces go to | the local store
OTEL_* variables | none found (PHP-FPM clears the environment unless clear_env = no)
 ["Setting","Effective value","From"]
every setting true true
 ["Counter of this process","Value","What"]
every counter true true
kept 1
each says what it counts true
secrets false false

What the exporter has said
Last success => 2023-11-14 22:13:20 UTC
Last error => 2023-11-14 22:14:20 UTC: http://c: no connection

From variables, as a web page
tables 3
opa | tracing
Version | %d.%d.%d
Problem | opa-exporter: there is no executable file at exporter_path: /nonexistent/opa-exporter (%s)
Spool | SPOOL
Spool size | %d
Spool size, at most | %d
Exporter | /nonexistent/opa-exporter
Exporter runs | no
Last success | -
Last error | -
Traces go to | the local store
OTEL_* variables | found
 ["Setting","Effective value","From"]
every setting true true
 ["Counter of this process","Value","What"]
every counter true true
kept 1
each says what it counts true
secrets false "tags" false
