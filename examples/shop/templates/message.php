<p><?= $e($text) ?>
<p><a href="/">Back to the shop</a>
