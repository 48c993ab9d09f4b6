<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Root becomes the user whose files are to be read, for good: SQLite makes files beside a store even
 * for a reader, and what root made there would be in its owner's way.
 */
final class Impersonation
{
	public function __construct(private readonly Environment $env)
	{
	}

	/** @param list<string> $words the command's, should it have to be started again */
	public function become(Identity $who, array $words): void
	{
		$variables = array_diff_key($this->env->variables,
			array_flip(['XDG_RUNTIME_DIR', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME']));
		$variables['HOME'] = $who->home ?? '/';
		$variables['USER'] = $variables['LOGNAME'] = $who->name;
		if (!function_exists('posix_setuid')) {
			$this->restart($who, $variables, $words);
		}
		// The checkout may lie where that user cannot read.
		foreach (glob(__DIR__ . '/[A-Z]*.php') ?: [] as $file) {
			class_exists(__NAMESPACE__ . '\\' . basename($file, '.php'));
		}
		if (!posix_setgid($who->gid) || !posix_initgroups($who->name, $who->gid)
				|| !posix_setuid($who->uid)) {
			throw new Problem("cannot become $who->name: " . posix_strerror(posix_get_last_error()),
				"Try:  sudo -u $who->name opa ...");
		}
		foreach (array_diff_key($this->env->variables, $variables) as $name => $value) {
			putenv($name);
		}
		putenv('HOME=' . $variables['HOME']);
		$this->env->variables = $variables;
		$this->env->user = $who;
	}

	/**
	 * Without the posix extension: the command again, through setpriv or su.
	 * @param array<string, string> $variables
	 * @param list<string> $words
	 */
	private function restart(Identity $who, array $variables, array $words): never
	{
		$php = [PHP_BINARY, ...self::ownArguments(), __DIR__ . '/main.php', ...$words];
		if ($this->isInstalled('setpriv')) {
			$command = ['setpriv', "--reuid=$who->uid", "--regid=$who->gid", '--init-groups', '--', ...$php];
		} elseif ($this->isInstalled('su')) {
			$line = 'exec ' . implode(' ', array_map('escapeshellarg', $php));
			$command = ['su', '-s', '/bin/sh', $who->name, '-c', $line];
		} else {
			throw new Problem("cannot become $who->name: PHP's posix extension, setpriv and su are missing");
		}
		$process = proc_open($command, [STDIN, STDOUT, STDERR], $pipes, null, $variables);
		if ($process === false) {
			throw new Problem("cannot become $who->name: $command[0] could not be started");
		}
		exit(proc_close($process));
	}

	/** @return list<string> PHP's own options, as far as they can be known: which ini files it read */
	private static function ownArguments(): array
	{
		$words = explode("\0", (string) @file_get_contents('/proc/self/cmdline'));
		$main = array_search(__DIR__ . '/main.php', array_map(
			static fn (string $w): string => realpath($w) ?: $w, $words), true);
		return $main === false ? [] : array_slice($words, 1, $main - 1);
	}

	private function isInstalled(string $program): bool
	{
		foreach (explode(':', $this->env->get('PATH') ?? '/usr/sbin:/usr/bin:/sbin:/bin') as $directory) {
			if (is_executable("$directory/$program")) {
				return true;
			}
		}
		return false;
	}
}
