<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** A line made of differently styled pieces, which can be cut to a width. */
final class Line
{
	/** @var list<array{string, string}> text and style */
	private array $pieces = [];
	private int $width = 0;

	public function add(string $text, string $style = ''): self
	{
		if ($text !== '') {
			$this->pieces[] = [$text, $style];
			$this->width += Text::width($text);
		}
		return $this;
	}

	/** With something in front of it. */
	public function behind(string $text): self
	{
		array_unshift($this->pieces, [$text, '']);
		$this->width += Text::width($text);
		return $this;
	}

	public function width(): int
	{
		return $this->width;
	}

	/** Painted, and exactly that wide. */
	public function fit(Output $out, int $columns): string
	{
		return $this->cut($out, $columns) . str_repeat(' ', max(0, $columns - $this->width));
	}

	/** Painted, and at most that wide. */
	public function cut(Output $out, int $columns): string
	{
		$text = '';
		$over = $this->width > $columns;
		foreach ($this->pieces as $i => [$piece, $style]) {
			$width = Text::width($piece);
			$isLast = $i === count($this->pieces) - 1;
			if ($over && ($width > $columns || ($width === $columns && !$isLast))) {
				$piece = $width > $columns ? $piece : $piece . '…';
				return $text . $out->paint($style, Text::fit(Text::cut($piece, $columns), $columns));
			}
			$text .= $out->paint($style, $piece);
			$columns -= $width;
		}
		return $text;
	}
}
