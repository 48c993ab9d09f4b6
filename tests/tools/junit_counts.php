<?php
/* junit_counts.php FILE: prints "tests failures skipped" of a JUnit report. */
declare(strict_types=1);

$document = new DOMDocument();
if (!is_file($argv[1]) || !@$document->load($argv[1])) {
	exit(1);
}
$suite = $document->getElementsByTagName('testsuite')->item(0);
if ($suite === null) {
	echo "0 0 0\n";
	exit;
}
$count = static fn (string $name): int => (int) $suite->getAttribute($name);
echo $count('tests'), ' ', $count('failures') + $count('errors'), ' ', $count('skipped'), "\n";
