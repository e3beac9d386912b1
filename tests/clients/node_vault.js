// Does with node-vault what applications do, and prints what came of each step as one JSON document.
const vault = require("node-vault")();

// An error as applications see it.
const failure = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return { message: error.message, status: error.response && error.response.statusCode };
  }
  throw new Error("this must fail");
};

const main = async () => {
  const found = {};
  found.health = (await vault.health()).initialized;
  found.initialized = (await vault.initialized()).initialized;
  found.sealed = (await vault.status()).sealed;
  found.lookup = (await vault.tokenLookupSelf()).data.type;
  found.renewed = (await vault.tokenRenewSelf()).auth.renewable;
  found.written = (await vault.write("secret/data/team/app", { data: { user: "a", password: "old" } })).data.version;
  await vault.update("secret/data/team/app", { data: { password: "new" } });
  const read = (await vault.read("secret/data/team/app")).data;
  found.read = [read.data, read.metadata.version];
  found.older = (await vault.read("secret/data/team/app?version=1")).data.data;
  found.listed = (await vault.list("secret/metadata/team")).data.keys;
  vault.noCustomHTTPVerbs = true;
  found.listedByQuery = (await vault.list("secret/metadata/team/")).data.keys;
  await vault.write("secret/metadata/team/app", { custom_metadata: { owner: "team" } });
  found.metadata = (await vault.read("secret/metadata/team/app")).data.custom_metadata;
  found.deleted = await vault.delete("secret/data/team/app");
  found.gone = await failure(vault.read("secret/data/team/app"));
  await vault.write("secret/undelete/team/app", { versions: [2] });
  found.restored = (await vault.read("secret/data/team/app")).data.metadata.version;
  found.lost = await failure(vault.write("secret/data/team/app", { data: {}, options: { cas: 7 } }));
  await vault.delete("secret/metadata/team/app");
  found.absent = await failure(vault.read("secret/data/team/app"));
  found.forbidden = await failure(vault.read("secret/data/other"));
  await vault.write("secret/data/team/app", { data: { password: "wrapped" } });
  // It goes on with the new token.
  const made = await vault.tokenCreate({ policies: ["fetch:team/*"], ttl: "10m" });
  found.made = made.auth.policies;
  const wrapping = await vault.read("secret/data/team/app", { headers: { "X-Vault-Wrap-TTL": "60s" } });
  found.unwrapped = (await vault.unwrap({ token: wrapping.wrap_info.token })).data.data;
  found.unwrappedAgain = await failure(vault.unwrap({ token: wrapping.wrap_info.token }));
  await vault.approleLogin({ role_id: process.env.ROLE_ID, secret_id: process.env.SECRET_ID });
  found.byLogin = (await vault.read("secret/data/team/app")).data.data;
  vault.token = "hvs.other";
  found.denied = await failure(vault.read("secret/data/team/app"));
  return found;
};

main().then((found) => console.log(JSON.stringify(found)));
