<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** The help texts, made from the commands' specs. */
final class Help
{
	public function __construct(private readonly Output $out)
	{
	}

	/** @param list<Spec> $specs */
	public function overview(array $specs): void
	{
		$this->text('opa looks at the traces that the PHP extension opa has recorded.');
		$this->head('Usage');
		$this->out->line('  opa COMMAND [OPTIONS]');
		$this->head('Commands');
		$rows = [];
		foreach ($specs as $spec) {
			$rows[$spec->name] = $spec->summary;
		}
		$this->rows($rows);
		$this->head('Options of every command');
		$this->options([...Application::globalOptions(), Application::versionOption()]);
		$this->head('Start with');
		$this->rows(['opa list' => 'what happened lately', 'opa show last' => 'the newest trace',
			'opa list --help' => 'each command has its own help, with examples']);
	}

	public function command(Spec $spec): void
	{
		$this->text(ucfirst($spec->summary) . '.');
		$this->head('Usage');
		$this->out->line("  opa $spec->name" . ($spec->arguments === '' ? '' : " $spec->arguments")
			. ' [OPTIONS]');
		$this->head('Options');
		$this->options($spec->options);
		$this->head('Options of every command');
		$this->options(Application::globalOptions());
		$this->head('Examples');
		$this->rows($spec->examples);
	}

	private function text(string $text): void
	{
		foreach (Text::wrap($text, $this->out->columns) as $line) {
			$this->out->line($line);
		}
	}

	private function head(string $text): void
	{
		$this->out->line();
		$this->out->line($this->out->paint('head', $text));
	}

	/** @param list<Option> $options */
	private function options(array $options): void
	{
		$rows = [];
		foreach ($options as $o) {
			$short = $o->short === '' ? '' : "-$o->short, ";
			$rows[$short . "--$o->name" . ($o->value === '' ? '' : " $o->value")] = $o->help;
		}
		$this->rows($rows);
	}

	/** @param array<string, string> $rows */
	private function rows(array $rows): void
	{
		$columns = min(100, $this->out->columns);
		$width = min(max(16, intdiv($columns * 45, 100)), max(array_map('strlen', array_keys($rows))));
		foreach ($rows as $left => $right) {
			$lines = Text::wrap($right, max(16, $columns - $width - 4));
			if (strlen($left) > $width) {
				$this->typed($left, $columns);
				$left = '';
			}
			foreach ($lines as $line) {
				$this->out->line('  ' . $this->out->paint('cyan', Text::fit($left, $width)) . "  $line");
				$left = '';
			}
		}
	}

	/** A line to be typed: where it is too long it goes on, further to the right. */
	private function typed(string $text, int $columns): void
	{
		foreach (Text::wrap($text, $columns - 4) as $i => $part) {
			$this->out->line(($i > 0 ? '    ' : '  ') . $this->out->paint('cyan', $part));
		}
	}
}
