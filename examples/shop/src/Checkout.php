<?php
declare(strict_types=1);

namespace Shop;

/** From a cart to an order: stock, payment, order. */
final class Checkout
{
	public function __construct(
		private readonly Database $database,
		private readonly string $paymentUrl,
	) {
	}

	/**
	 * The number of the order, or null when the payment was declined.
	 *
	 * @param list<array{id: int, name: string, cents: int, quantity: int}> $items
	 */
	public function buy(array $items): ?int
	{
		$total = Cart::total($items);
		return Trace::span('checkout', function () use ($items, $total): ?int {
			Trace::span('reserve stock', fn () => $this->reserve($items));
			$payment = $this->pay($total);
			if ($payment === null) {
				Trace::event('payment declined');
				return null;
			}
			return Trace::span('place order', fn (): int => $this->place($items, $total, $payment));
		}, ['cart.items' => \count($items), 'cart.cents' => $total]);
	}

	private function reserve(array $items): void
	{
		foreach ($items as $item) {
			$sql = 'SELECT stock FROM products WHERE id = ?';
			$row = $this->database->row('SELECT products', $sql, [$item['id']]);
			if ($row['stock'] < $item['quantity']) {
				Trace::event('back order', ['product.id' => $item['id'], 'stock' => $row['stock']]);
			}
		}
	}

	private function pay(int $cents): ?string
	{
		[$status, $body] = Trace::post($this->paymentUrl, json_encode(['cents' => $cents]));
		if ($status === 402) {
			return null;
		}
		if ($status !== 200) {
			throw new \RuntimeException("the payment service answered $status");
		}
		return json_decode($body, true, 8, JSON_THROW_ON_ERROR)['payment'];
	}

	private function place(array $items, int $total, string $payment): int
	{
		$work = static function (\PDO $pdo) use ($items, $total, $payment): int {
			$pdo->prepare('INSERT INTO orders (created, cents, payment) VALUES (?, ?, ?)')
				->execute([time(), $total, $payment]);
			$order = (int) $pdo->lastInsertId();
			$insert = $pdo->prepare('INSERT INTO order_items VALUES (?, ?, ?)');
			foreach ($items as $item) {
				$insert->execute([$order, $item['id'], $item['quantity']]);
			}
			return $order;
		};
		$order = $this->database->transaction($work);
		Trace::tag('order.id', $order);
		return $order;
	}
}
