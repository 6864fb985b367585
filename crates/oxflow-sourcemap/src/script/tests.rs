//! What functions of all forms are called.

use super::super::names::Part;
use super::scopes;

/// The names of a script's functions, in the order of their beginnings.
fn names(script: &str) -> Vec<String> {
    let found = scopes(script.as_bytes()).unwrap();
    found.iter().map(|scope| scope.name.iter().map(|part| part.text(script.as_bytes())).collect()).collect()
}

#[track_caller]
fn check(script: &str, wanted: &[&str]) {
    assert_eq!(wanted, names(script), "{script}");
}

/// The text of each function.
#[track_caller]
fn check_texts(script: &str, wanted: &[&str]) {
    let found = scopes(script.as_bytes()).unwrap();
    let texts: Vec<_> = found.iter().map(|scope| &script[scope.start as usize..scope.end as usize]).collect();
    assert_eq!(wanted, texts, "{script}");
}

#[test]
fn functions_and_classes_have_their_own_names() {
    check("function a(){return function b(){}}async function*c(){}", &["a", "b", "c"]);
    check("class a{constructor(){return class b{}}}", &["new a", "new b"]);
    check("export default function a(){}export default class{}", &["a", ""]);
    check("var x=async function y(){};z=function(){}", &["y", "z"]);
}

#[test]
fn functions_are_called_what_they_are_assigned_to() {
    check("var a=function(){},b=class{},c=()=>{},d=async x=>x,e=async(x)=>x", &["a", "new b", "c", "d", "e"]);
    check("a=function(){};b.c.d=class{};this.x=()=>1;e??=()=>2", &["a", "new b.c.d", "this.x", "e"]);
    check("a.b=function c(){};a=class B{f(){}get g(){}}", &["a.c", "new a.B", "a.B.f", "get a.B.g"]);
    check(
        "a[0]=function(){};a['x']=()=>{};a[b]=()=>{};a[b+1].c=()=>{}",
        &["a[0]", "a['x']", "a[b]", "a[<computed>].c"],
    );
    check("a=b=function(){};var c=d(function(){}),e=x?function(){}:()=>1", &["b", "c", "e", "e"]);
    check("a().b=function(){};[a=()=>1]=b;function f(g=()=>2){}", &["", "a", "f", "g"]);
    check("a=1;(function(){})();a=1,function(){}()", &["", ""]);
    check("a=function(){return function(){return ()=>{}}}", &["a", "", ""]);
}

#[test]
fn members_are_called_by_their_objects_and_classes() {
    check(
        "const o={a:function b(){},c:function(){},d:()=>{},e(){},async*f(){},get g(){},set g(x){}}",
        &["o.b", "o.c", "o.d", "o.e", "o.f", "get o.g", "set o.g"],
    );
    check("a={['x'+1](){},1.7(){},'b c'(){},1n(){}}", &["a.<computed>", "a.<1.7>", "a.<'b c'>", "a.<1n>"]);
    check("({a:function b(){},c(){}})", &["<object>.b", "<object>.c"]);
    check("x({a:y({b(){}}),get c(){}})", &["<object>.a.b", "get <object>.c"]);
    check(
        "class A{static s(){}m(){}#p(){}static async*n(){}get(){}static{()=>1}}",
        &["new A", "A.s", "A.m", "A.#p", "A.n", "A.get", "A"],
    );
    check("class A{a=()=>1\nb=function(){}\nc\nd;static e=class{};f(){}}", &["new A", "A.a", "A.b", "new A.e", "A.f"]);
    check("class A extends B{m(){}}class C extends f({x(){}}){}", &["new A", "A.m", "new C", "<object>.x"]);
    check("var{a=()=>1,b:{c=()=>2}}=x;function f({d=()=>3}){}", &["a", "c", "f", "d"]);
}

#[test]
fn functions_end_where_they_do() {
    check_texts("a=b=>c;d", &["b=>c"]);
    check_texts("a(b=>c,(d,e)=>f?g:h,async i=>j)", &["b=>c", "(d,e)=>f?g:h", "async i=>j"]);
    check_texts("a=b?c=>d:e=>f", &["c=>d", "e=>f"]);
    check_texts("a=b=>c\nd=e=>({f})\ng", &["b=>c", "e=>({f})"]);
    check_texts("a=b=>c=>d", &["b=>c=>d", "c=>d"]);
    check_texts("a=()=>{}\n/x/.test(y)", &["()=>{}"]);
    check_texts("function a(){}/}/.test(b);c=function(){}/d/e", &["function a(){}", "function(){}"]);
    check_texts("a={b(){return`${c=>d}}`},e(){}}", &["b(){return`${c=>d}}`}", "c=>d", "e(){}"]);
    check_texts("async function a(){}", &["async function a(){}"]);
    check_texts("if(a)/}/.b();for(;;)/}/.c();function d(){}", &["function d(){}"]);
    check_texts("for(const a of/}/.b){}function c(){}", &["function c(){}"]);
    check_texts("a={b:1,c:{}}/d;e={f(){}}", &["f(){}"]);
    check_texts("switch(a){case b:{c}case{}:d;default:e=f=>f}", &["f=>f"]);
    check_texts("a:{b}{c}()=>d", &["()=>d"]);
    check_texts("(", &[]);
    check_texts("x=function(){", &["function(){"]);
    check_texts("x=a=>", &["a=>"]);
}

#[test]
fn what_is_no_javascript_is_passed_over() {
    for script in [
        "}})]>",
        "function",
        "function(",
        "class{",
        "class A extends",
        "=>",
        "a=>{",
        "({[",
        "`${",
        "get x(",
        "class{x(;}",
    ] {
        let _ = scopes(script.as_bytes()).unwrap();
    }
    check("@a.b(c)class A{@d e(){}};)]};function f(){}", &["new A", "A.e", "f"]);
}

#[test]
fn names_and_nesting_have_an_end() {
    let deep = "{a:".repeat(5000) + "()=>1";
    let found = scopes(format!("x={deep}").as_bytes()).unwrap();
    assert!(found[0].name.len() < 200);
    assert!(scopes("(".repeat(10_001).as_bytes()).is_err());
    assert!(matches!(Part::Plain("a").text(b""), text if text == "a"));
}
