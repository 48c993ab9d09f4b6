--TEST--
A program that becomes another user goes on in that user's spool; no span is lost on the way, there or back
--EXTENSIONS--
opa
posix
--SKIPIF--
<?php
posix_geteuid() === 0 || die('skip needs root');
?>
--INI--
opa.spool_dir={PWD}/setuid.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

const OTHER = 65534;

/** A directory where users have spools of their own, <dir>/<euid>, as below /tmp. */
function shared(): string
{
	foreach ([sys_get_temp_dir(), '/var/tmp', '/dev/shm'] as $base) {
		if ((fileperms($base) & 1) !== 0) {
			mkdir($path = "$base/opa-setuid-" . bin2hex(random_bytes(6)), 0700);
			chmod($path, 01777);
			return $path;
		}
	}
	throw new RuntimeException('no directory that all users may enter');
}

function names(string $spool): array
{
	$names = array_column(opa_test_spans($spool), 'name');
	sort($names);
	return $names;
}

$dir = shared();
$published = 'function published(string $name): void { opa_end_span(opa_start_span($name)); opa_flush(0); }
	function moved(int $uid): void { for ($end = hrtime(true) + 20e9; opa_status()["spool"]["path"] !== "' . $dir . '/$uid" && hrtime(true) < $end; usleep(2000)); }
	function become(int $uid): void { posix_seteuid($uid) || print("cannot become $uid\n"); }';

// It has published already, so there is a journal; it looks around once a second, or when asked for its status.
$run = opa_test_run("<?php $published" . ' published("a"); become(65534); published("b"); moved(65534); published("c"); become(0); moved(0); published("d");
	echo json_encode(array_filter(opa_status()["counters"], fn ($n, $k) => $n && str_contains($k, "dropped"), ARRAY_FILTER_USE_BOTH));', ['spool' => $dir]);
show('there and back', $run['out'], $run['exit']);
show('all', array_count_values(array_merge(names("$dir/0"), names("$dir/" . OTHER))) === array_fill_keys(['a', 'b', 'd', 'script.php', 'c'], 1));
show('as the other', array_values(array_intersect(names("$dir/" . OTHER), ['c'])), array_values(array_intersect(names("$dir/0"), ['a', 'd'])));
$owners = array_map('fileowner', glob("$dir/" . OTHER . '/{live,sealed,control,dest}/*', GLOB_BRACE));
show('its files are its own', array_unique($owners));
// A trace that goes on as another user is not lost, in the file of neither.
$running = fn (string $path): int => unpack('q', file_get_contents($path), 48 + 63 * 8)[1];
show('running', array_map($running, glob("$dir/*/control/*.c")));
opa_test_remove($dir);

// It has not published before, and ends at once.
$dir = shared();
$run = opa_test_run('<?php opa_end_span(opa_start_span("a")); posix_seteuid(65534); opa_end_span(opa_start_span("b"));', ['spool' => $dir]);
show('at once', $run['exit'], names("$dir/" . OTHER), names("$dir/0"));
opa_test_remove($dir);

// For good.
$dir = shared();
$run = opa_test_run('<?php posix_setuid(65534); opa_end_span(opa_start_span("a"));', ['spool' => $dir]);
show('for good', $run['exit'], names("$dir/" . OTHER), names("$dir/0"));
opa_test_remove($dir);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
foreach ([sys_get_temp_dir(), '/var/tmp', '/dev/shm'] as $base) {
	foreach (glob("$base/opa-setuid-*") as $left) {
		filemtime($left) < time() - 3600 && opa_test_remove($left);
	}
}
?>
--EXPECT--
there and back "[]" 0
all true
as the other ["c"] ["a","d"]
its files are its own [65534]
running [0,0,0]
at once 0 ["a","b","script.php"] []
for good 0 ["a","script.php"] []
