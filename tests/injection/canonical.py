"""What generated source computes, without its names: files that differ in names and texts alone are equal here.

Constants are blank and docstrings left out. A name is replaced by what it stands for: a class by its number, a
parameter by its position, an attribute of `self` by the order in which the class sets them, and a variable by
the expression that it was last given. So it is of no matter where a long line was cut in two, and the loop
`for block in self.s1: x, block = block(x, block)`, where the loop's own name catches a stream of that name,
differs from the same loop over a stream of another name. What the file imports and what Python has built in
stay as they are; where a class or variable shadows one of these, it becomes that class or variable.
"""

from __future__ import annotations

import ast
from hashlib import blake2b

from archdsl import names

IMPORTS = {"torch", "torch.nn", "torch.nn.functional", "math"}
IMPORTED = {"Tensor", "nn"}
BUILT_IN = {
    "abs", "bool", "dict", "enumerate", "float", "int", "len", "list", "max", "min", "range", "round", "str",
    "sum", "super", "tuple", "zip",
}  # fmt: skip
"""What a generated file may use of what Python has built in."""

KNOWN = BUILT_IN | IMPORTED | {"F", "torch", "math"}

NODES = (
    ast.Module, ast.ClassDef, ast.FunctionDef, ast.Assign, ast.AnnAssign, ast.Return, ast.If, ast.For,
    ast.Expr, ast.Import, ast.ImportFrom, ast.alias, ast.arguments, ast.arg, ast.Call, ast.keyword,
    ast.Attribute, ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Subscript, ast.Slice, ast.BinOp,
    ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.ListComp, ast.GeneratorExp, ast.comprehension,
    ast.Starred, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip


class Escape(Exception):
    """Generated source that is not what the document asked for."""


def checked(source: str) -> ast.Module:
    """The tree of generated source, if it is one that may be written; raises `Escape`."""
    if not source.isascii():
        raise Escape("the source is not ASCII")
    try:
        tree = ast.parse(source)
        compile(tree, "generated", "exec")
    except (SyntaxError, ValueError, SyntaxWarning, DeprecationWarning) as error:
        raise Escape(f"{type(error).__name__}: {error}") from None
    for node in ast.walk(tree):
        if not isinstance(node, NODES):
            raise Escape(f"a node {type(node).__name__}")
        bad: set[str] = set()
        match node:
            case ast.Import(aliases):
                bad = {alias.name for alias in aliases} - IMPORTS
            case ast.ImportFrom(module, aliases):
                bad = {alias.name for alias in aliases} - IMPORTED | {str(module)} - {"torch"}
            case ast.Attribute(_, attribute) if attribute.startswith("_") and attribute != "__init__":
                bad = {attribute}
            case ast.Expr(value) if not isinstance(value, ast.Call | ast.Constant):
                bad = {"a statement without effect"}
        if bad:
            raise Escape(f"line {getattr(node, 'lineno', 0)}: {sorted(bad)}")
    return tree


def canonical(source: str) -> str:
    """What the source computes, as text; raises `Escape` where it may not be written at all."""
    tree = checked(source)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    taken = [node.name for node in classes]
    if len(set(taken)) < len(taken) or set(taken) & KNOWN:
        raise Escape(f"classes of one name, or of a name that the file needs: {taken}")
    numbers = {name: f"C{number}" for number, name in enumerate(taken)}
    parameters = {node.name: _parameters(node) for node in classes}
    stored = {name for node in classes for name in _attributes(node)}
    result = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in classes:
        attributes = _attributes(node)
        _check_attributes(node, attributes)
        result.append(f"class {numbers[node.name]}({', '.join(map(ast.unparse, node.bases))})")
        for part in node.body:
            match part:
                case ast.FunctionDef():
                    result += _Function(numbers, parameters, attributes, stored).run(part)
                case ast.AnnAssign(ast.Name(name), annotation, None):
                    result.append(f"{attributes.get(name, name)}: {ast.unparse(annotation)}")
                case ast.Expr(ast.Constant(str())):
                    pass
                case _:
                    raise Escape(f"line {part.lineno}: a class holds {type(part).__name__}")
    return "\n".join(result)


def _parameters(node: ast.ClassDef) -> dict[str, str]:
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            return {argument.arg: f"P{number}" for number, argument in enumerate(method.args.args)}
    return {}


def _attributes(node: ast.ClassDef) -> dict[str, str]:
    """The attributes of `self` that a class sets, by the order in which it sets them."""
    found: dict[str, str] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and _is_self(inner.value) and isinstance(inner.ctx, ast.Store):
            found.setdefault(inner.attr, f"A{len(found)}")
    return found


def _check_attributes(node: ast.ClassDef, attributes: dict[str, str]) -> None:
    methods = [method.name for method in node.body if isinstance(method, ast.FunctionDef)]
    sets = [inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)
            and _is_self(inner.value) and isinstance(inner.ctx, ast.Store)]  # fmt: skip
    bad = set(attributes) & (names.MODULE_ATTRIBUTES | set(methods))
    bad |= {name for name in sets if sets.count(name) > 1}
    if bad or len(set(methods)) < len(methods):
        raise Escape(f"class {node.name} sets {sorted(bad)}: twice, or what every module has")


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


class _Function:
    """Follows one function: what it returns, calls and stores, in order."""

    def __init__(
        self,
        classes: dict[str, str],
        parameters: dict[str, dict[str, str]],
        attributes: dict[str, str],
        stored: set[str],
    ) -> None:
        self.classes, self.parameters, self.attributes, self.stored = classes, parameters, attributes, stored
        self.variables: dict[str, str] = {}
        self.done: list[str] = []

    def run(self, node: ast.FunctionDef) -> list[str]:
        args = node.args
        annotations = [self.text(a.annotation) for a in args.args[1:] if a.annotation]
        defaults = [self.text(default) for default in args.defaults]
        for number, argument in enumerate(args.args):
            if argument.arg in self.variables:
                raise Escape(f"two parameters {argument.arg}")
            self.variables[argument.arg] = f"P{number}" if argument.arg != "self" else "self"
        self.body(node.body)
        result = self.text(node.returns) if node.returns else ""
        return [f"def {node.name}({annotations}, {defaults}) -> {result}", *self.done]

    def body(self, body: list[ast.stmt]) -> None:
        for statement in body:
            match statement:
                case ast.Assign([target], value):
                    self.assign(target, self.text(value))
                case ast.For(target, values, inner, []):
                    before = dict(self.variables)
                    self.assign(target, f"each {self.text(values)}")
                    self.done.append("for")
                    self.body(inner)
                    self.done.append("end")
                    for name, value in self.variables.items():
                        if before.get(name) != value:
                            self.variables[name] = f"looped {value}"
                case ast.If(test, then, []) if isinstance(then[-1], ast.Return):
                    self.done.append(f"if {self.text(test)}")
                    self.body(then)
                    self.done.append("end")
                case ast.Return(value):
                    self.done.append(f"return {self.text(value) if value else ''}")
                case ast.Expr(ast.Constant(str())):
                    pass
                case ast.Expr(value):
                    self.done.append(self.text(value))
                case _:
                    raise Escape(f"line {statement.lineno}: a statement {type(statement).__name__}")

    def assign(self, target: ast.expr, value: str) -> None:
        match target:
            case ast.Name(id):
                self.variables[id] = value
            case ast.Tuple(items):
                for number, item in enumerate(items):
                    self.assign(item, f"{value} part {number}")
            case _:
                self.done.append(f"{self.text(target)} = {value}")

    def text(self, node: ast.AST) -> str:
        """An expression, with names replaced and constants blank; a long one by its digest."""
        text = self._text(node)
        return text if len(text) <= 40 else blake2b(text.encode(), digest_size=12).hexdigest()

    def _text(self, node: ast.AST) -> str:
        match node:
            case ast.Name(id):
                if id in self.variables:
                    return self.variables[id]
                if id not in self.classes and id not in KNOWN:
                    raise Escape(f"line {node.lineno}: {id} is nothing that a file knows")
                return self.classes.get(id, id)
            case ast.Constant(value):
                return type(value).__name__
            case ast.Attribute(value, attr):
                if _is_self(value):
                    attr = self.attributes.get(attr, attr)
                elif attr in self.stored and attr not in ("weight", "bias") and _begins_with_self(value):
                    attr = "A"
                return f"{self.text(value)}.{attr}"
            case ast.Call(function, args, keywords):
                known = self.parameters.get(function.id) if isinstance(function, ast.Name) else None
                parts = [self.text(argument) for argument in args]
                for keyword in keywords:
                    if keyword.arg is None or (known is not None and keyword.arg not in known):
                        raise Escape(f"line {node.lineno}: an argument {keyword.arg} that is not there")
                    name = known[keyword.arg] if known is not None else keyword.arg
                    parts.append(f"{name}={self.text(keyword.value)}")
                if isinstance(function, ast.Attribute) and not _is_self(function.value):
                    # A method's name is its own, also where an attribute of the document has the same.
                    return f"{self.text(function.value)}.{function.attr}({', '.join(parts)})"
                return f"{self.text(function)}({', '.join(parts)})"
            case ast.ListComp(elt, generators) | ast.GeneratorExp(elt, generators):
                outer = dict(self.variables)
                for generator in generators:
                    self.assign(generator.target, f"each {self.text(generator.iter)}")
                inner = self.text(elt)
                self.variables = outer
                return f"[{inner}]"
            case _:
                parts = [self.text(child) for child in ast.iter_child_nodes(node)
                         if not isinstance(child, ast.expr_context)]  # fmt: skip
                return f"{type(node).__name__}({' '.join(parts)})"


def _begins_with_self(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return _is_self(node)
